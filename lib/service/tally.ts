import type { Counters, Place, Taking, WantedPlace } from '../ports/counters.js'
import { takeEach } from '../ports/take-each.js'
import { DEFAULT_TIMEOUT } from '../ports/with-timeout.js'
import { type Carried, LaterPlaces, type LaterTaking, NOTHING } from './later-places.js'
import { countedInTime } from './timed-counters.js'

const SENT_AFTER = 1000

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
 * Takes all the places of an attempt in one call, where the counters can. What nobody waits for it takes or
 * gives back with a later call, or after a second.
 */
export class Tally {
  /** Milliseconds that all calls of an attempt may take together. */
  readonly timeout: number
  readonly #counters: Counters
  readonly #later = new LaterPlaces()
  readonly #sent = new Set<Promise<unknown>>()
  #timer: NodeJS.Timeout | undefined

  constructor(counters: Counters, timeout = DEFAULT_TIMEOUT) {
    this.timeout = timeout
    this.#counters = counters
  }

  /**
   * Takes all of the places, or none.
   *
   * @throws UnavailableError where the counts cannot be known
   */
  async takeAll(wanted: readonly Wanted[]): Promise<Taken> {
    const places = wanted.map(placeOf)
    const counted = places.filter((place) => place !== null)
    const takings = counted.length === 0 ? [] : await this.#take(counted)
    let next = 0
    const answers = places.map((place) => (place === null ? UNLIMITED : takings[next++]))
    const areFine = answers.every(
      (taking, nth) => taking !== undefined && (taking.taken || wanted[nth]?.optional === true),
    )
    if (areFine) {
      return { kind: 'taken', left: answers.map((one) => (one?.taken ? one.left : null)) }
    }
    const retryAfter = answers.map((taking) => taking?.retryAfter ?? 0)
    return { kind: 'refused', retryAfter, wait: Math.max(0, ...retryAfter) }
  }

  /** Never rejects: a place that cannot be given back is lost, which harms nobody. */
  async giveBack(given: readonly Wanted[]): Promise<void> {
    const back = this.#takenOf(given)
    if (back.length > 0) await this.#sendCarried({ ...NOTHING, back })
  }

  /** The same, not at once. Whoever takes a place in this process meanwhile finds it given back. */
  giveBackLater(given: readonly Wanted[]): void {
    if (this.#counters.takeAll === undefined) {
      void this.giveBack(given)
      return
    }
    this.#later.giveBack(this.#takenOf(given))
    this.#sendSoon()
  }

  /**
   * Takes a place for what has happened already, without waiting for it: with a later call, where the counters
   * take several at once. If the call fails, the place is not taken.
   *
   * @param counted hears the places that are left then, or null where none was free
   * @returns false if it will not be taken: that place is being taken already, or too many are
   */
  takeLater(wanted: Wanted, counted: LaterTaking['counted']): boolean {
    const place = placeOf(wanted)
    if (place === null) return false
    // It must not refuse the places of the attempt that carries it.
    if (!this.#later.take({ place: { ...place, optional: true }, counted })) return false
    if (this.#counters.takeAll === undefined) void this.#sendCarried(this.#later.carried([]))
    else this.#sendSoon()
    return true
  }

  /** Gives back and takes what is left, and waits for what is given back already. Never rejects. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (!this.#later.isEmpty) void this.#sendCarried(this.#later.carried([]))
    await Promise.all(this.#sent)
  }

  /** Never rejects. */
  #sendCarried(carried: Carried): Promise<unknown> {
    const call: Promise<unknown> = this.#send([], carried)
      .catch(() => undefined)
      .finally(() => this.#sent.delete(call))
    this.#sent.add(call)
    return call
  }

  /** Those that are taken. What is only to be taken later need not be. */
  #takenOf(given: readonly Wanted[]): readonly Place[] {
    return given.flatMap((one) => placeOf(one) ?? []).filter((place) => !this.#later.cancel(place))
  }

  #sendSoon(): void {
    this.#timer ??= setTimeout(() => void this.settle(), SENT_AFTER).unref()
  }

  #take(wanted: readonly WantedPlace[]): Promise<readonly Taking[]> {
    return this.#send(wanted, this.#later.carried(wanted))
  }

  #send(wanted: readonly WantedPlace[], carried: Carried): Promise<readonly Taking[]> {
    const { back, takings } = carried
    const sent = takings.length === 0 ? this.#call(wanted, back) : this.#sendWith(wanted, carried)
    return countedInTime(sent, this.timeout)
  }

  async #sendWith(
    wanted: readonly WantedPlace[],
    { back, takings }: Carried,
  ): Promise<readonly Taking[]> {
    const all = [...wanted, ...takings.map(({ place }) => place)]
    const answers = await this.#call(all, back).finally(() => this.#later.answered(takings))
    for (const [nth, later] of takings.entries()) {
      const taking = answers[wanted.length + nth]
      if (taking === undefined) continue
      if (taking.taken) later.counted(taking.left)
      else if (taking.retryAfter > 0) later.counted(null)
      // The attempt was refused, and nothing was taken with it. Otherwise it cannot be counted, and is lost.
      else if (wanted.length > 0) this.#takeAgain(later)
    }
    return answers.slice(0, wanted.length)
  }

  #takeAgain(later: LaterTaking): void {
    if (this.#later.take(later)) this.#sendSoon()
  }

  async #call(wanted: readonly WantedPlace[], back: readonly Place[]): Promise<readonly Taking[]> {
    const { takeAll } = this.#counters
    if (takeAll === undefined) return takeEach(this.#counters, wanted, back)
    return takeAll.call(this.#counters, wanted, back)
  }
}

const UNLIMITED: Taking = { taken: true, left: Number.POSITIVE_INFINITY, retryAfter: 0 }

function placeOf(wanted: Wanted): WantedPlace | null {
  const { counter, key, limit, first = false, optional = false } = wanted
  if (key === null || limit === Number.POSITIVE_INFINITY) return null
  return { name: counter.name, seconds: counter.seconds, key, limit, first, optional }
}
