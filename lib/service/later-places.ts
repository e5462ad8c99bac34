import type { Place, WantedPlace } from '../ports/counters.js'

/** What one call carries besides its own places, so that it stays a short one. */
const CARRIED_AT_ONCE = 100
/** Beyond that places are lost, which harms nobody but who waits for them. */
const KEPT_AT_MOST = 10_000

/** A place to take for what has happened already. */
export interface LaterTaking {
  readonly place: WantedPlace
  /** @param left places that are left now; null: none was free */
  counted(left: number | null): void
}

/** What a call gives back and takes besides its own places. */
export interface Carried {
  readonly back: readonly Place[]
  readonly takings: readonly LaterTaking[]
}

export const NOTHING: Carried = { back: [], takings: [] }

/** The places that a later call gives back or takes. Nobody waits for them. */
export class LaterPlaces {
  #back: Place[] = []
  readonly #takings = new Map<string, LaterTaking[]>()
  #takingsKept = 0

  giveBack(places: readonly Place[]): void {
    this.#back.push(...places.slice(0, KEPT_AT_MOST - this.#back.length))
  }

  /** @returns whether there is room for it */
  take(taking: LaterTaking): boolean {
    if (this.#takingsKept >= KEPT_AT_MOST) return false
    const id = idOf(taking.place)
    this.#takings.set(id, [...(this.#takings.get(id) ?? []), taking])
    this.#takingsKept += 1
    return true
  }

  /** Takes one such place less. @returns false if none was to be taken */
  takeLess(place: Place): boolean {
    return this.#next(idOf(place)) !== undefined
  }

  /** What the next call carries. A call takes each place once, so what is in `wanted` has to wait. */
  carried(wanted: readonly Place[]): Carried {
    const back = this.#back.splice(0, CARRIED_AT_ONCE)
    const own = new Set(wanted.map(idOf))
    const takings: LaterTaking[] = []
    for (const id of this.#takings.keys()) {
      if (back.length + takings.length >= CARRIED_AT_ONCE) break
      const next = own.has(id) ? undefined : this.#next(id)
      if (next !== undefined) takings.push(next)
    }
    return { back, takings }
  }

  get isEmpty(): boolean {
    return this.#back.length === 0 && this.#takingsKept === 0
  }

  #next(id: string): LaterTaking | undefined {
    const [first, ...others] = this.#takings.get(id) ?? []
    if (first === undefined) return undefined
    if (others.length === 0) this.#takings.delete(id)
    else this.#takings.set(id, others)
    this.#takingsKept -= 1
    return first
  }
}

function idOf({ name, key }: Place): string {
  return JSON.stringify([name, key])
}
