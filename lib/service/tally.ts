import type { Counters, Place, Taking, WantedPlace } from '../ports/counters.js'
import { takeEach } from '../ports/take-each.js'

const GIVEN_BACK_AFTER = 1000
/** What one call carries besides its own places, so that it stays a short one. */
const CARRIED_AT_ONCE = 100
/** Beyond that places are lost, which harms nobody but who waits for them. */
const KEPT_AT_MOST = 10_000

/** A counter's name and window. */
export type CounterName = Omit<Place, 'key'>

/** A place of an attempt. It counts nothing without a key or a limit. */
export interface Wanted {
  readonly counter: CounterName
  readonly key: string | null
  readonly limit: number
  /** As in `WantedPlace`. */
  readonly first?: boolean
  readonly optional?: boolean
}

/** The answer for each wanted place, in order. */
export type Taken =
  /** `left`: null for an optional place that was not free. */
  | { readonly kind: 'taken'; readonly left: readonly (number | null)[] }
  /**
   * `retryAfter`: milliseconds until a place is free; 0: this one was free, and was not taken. `wait`: the
   * longest of them.
   */
  | { readonly kind: 'refused'; readonly retryAfter: readonly number[]; readonly wait: number }

/**
 * Takes all the places of an attempt in one call, where the counters can. What nobody waits for it gives
 * back with a later call, or after a second.
 */
export class Tally {
  readonly #counters: Counters
  #later: Place[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(counters: Counters) {
    this.#counters = counters
  }

  /**
   * Takes all of the places, or none.
   *
   * @throws UnavailableError where the counts cannot be known
   */
  async takeAll(wanted: readonly Wanted[]): Promise<Taken> {
    const places = wanted.map(placeOf)
    const counted = places.flatMap((place) => place ?? [])
    const takings = counted.length === 0 ? [] : await this.#take(counted)
    const takingOf = new Map(counted.map((place, nth) => [place, takings[nth]] as const))
    const answers = places.map((place) => (place === null ? UNLIMITED : takingOf.get(place)))
    const isFine = answers.map(
      (taking, nth) => taking !== undefined && (taking.taken || wanted[nth]?.optional === true),
    )
    if (isFine.every(Boolean)) {
      return { kind: 'taken', left: answers.map((one) => (one?.taken ? one.left : null)) }
    }
    const retryAfter = answers.map((taking) => taking?.retryAfter ?? 0)
    return { kind: 'refused', retryAfter, wait: Math.max(0, ...retryAfter) }
  }

  /** Never rejects: a place that cannot be given back is lost, which harms nobody. */
  async giveBack(given: readonly Wanted[]): Promise<void> {
    const back = given.flatMap((one) => placeOf(one) ?? [])
    if (back.length > 0) await this.#send([], back).catch(() => undefined)
  }

  /** The same, not at once. Whoever takes a place in this process meanwhile finds it given back. */
  giveBackLater(given: readonly Wanted[]): void {
    if (this.#counters.takeAll === undefined) {
      void this.giveBack(given)
      return
    }
    const room = KEPT_AT_MOST - this.#later.length
    this.#later.push(...given.flatMap((one) => placeOf(one) ?? []).slice(0, room))
    this.#timer ??= setTimeout(() => void this.settle(), GIVEN_BACK_AFTER).unref()
  }

  /** Gives back what is left. Never rejects. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const calls: Promise<unknown>[] = []
    while (this.#later.length > 0) calls.push(this.#send([], this.#carried()))
    await Promise.allSettled(calls)
  }

  #take(wanted: readonly WantedPlace[]): Promise<readonly Taking[]> {
    return this.#send(wanted, this.#carried())
  }

  #carried(): readonly Place[] {
    return this.#later.splice(0, CARRIED_AT_ONCE)
  }

  #send(wanted: readonly WantedPlace[], back: readonly Place[]): Promise<readonly Taking[]> {
    const { takeAll } = this.#counters
    if (takeAll === undefined) return takeEach(this.#counters, wanted, back)
    return takeAll.call(this.#counters, wanted, back)
  }
}

const UNLIMITED: Taking = { taken: true, left: Number.POSITIVE_INFINITY, retryAfter: 0 }

function placeOf({ counter, key, limit, ...how }: Wanted): WantedPlace | null {
  if (key === null || limit === Number.POSITIVE_INFINITY) return null
  return { ...counter, key, limit, ...how }
}
