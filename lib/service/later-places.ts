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
  readonly #takings = new Map<string, LaterTaking>()
  readonly #underWay = new Set<string>()

  giveBack(places: readonly Place[]): void {
    this.#back.push(...places.slice(0, KEPT_AT_MOST - this.#back.length))
  }

  /** @returns false if it will not be taken: that place is being taken already, or too many are */
  take(taking: LaterTaking): boolean {
    const id = idOf(taking.place)
    const isTaken = this.#takings.has(id) || this.#underWay.has(id)
    if (isTaken || this.#takings.size >= KEPT_AT_MOST) return false
    this.#takings.set(id, taking)
    return true
  }

  /** @returns false if that place is not waiting to be taken */
  cancel(place: Place): boolean {
    return this.#takings.size > 0 && this.#takings.delete(idOf(place))
  }

  /** What the next call carries. A call takes each place once, so what is in `wanted` has to wait. */
  carried(wanted: readonly Place[]): Carried {
    if (this.isEmpty) return NOTHING
    const back = this.#back.splice(0, CARRIED_AT_ONCE)
    if (this.#takings.size === 0) return { back, takings: [] }
    const isOwn = ({ place: { name, key } }: LaterTaking) =>
      wanted.some((own) => own.name === name && own.key === key)
    const takings: LaterTaking[] = []
    for (const [id, taking] of this.#takings) {
      if (back.length + takings.length >= CARRIED_AT_ONCE) break
      if (isOwn(taking)) continue
      this.#takings.delete(id)
      this.#underWay.add(id)
      takings.push(taking)
    }
    return { back, takings }
  }

  /** The call that carried them is over. */
  answered(takings: Carried['takings']): void {
    for (const { place } of takings) this.#underWay.delete(idOf(place))
  }

  get isEmpty(): boolean {
    return this.#back.length === 0 && this.#takings.size === 0
  }
}

function idOf({ name, key }: Place): string {
  return `${name.length}:${name}:${key}`
}
