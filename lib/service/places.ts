import type { Counter } from '../ports/counters.js'

/** The places that an attempt took. Give them back if it was no miss. */
export interface Places {
  readonly kind: 'taken'
  /** If a place cannot be given back, it is lost, which harms nobody. Never rejects. */
  giveBack(which: 'all' | 'address' | 'user'): Promise<void>
}

/** Another attempt is refused for so many seconds. */
export interface TooMany {
  readonly kind: 'too-many-attempts'
  readonly retryAfter: number
  /** Set if the user has done this often enough for the day: no code is blocked. */
  readonly enoughToday?: true
}

/** The reason why an attempt is refused unseen. */
export type LimitRefusal = { readonly kind: 'sign-in-again' } | TooMany

const UNLIMITED = { taken: true, left: Number.POSITIVE_INFINITY, retryAfter: 0 } as const

/** Takes a place. Without a key or a limit, it is free. */
export function take(counter: Counter, key: string | null, limit: number) {
  if (key === null || limit === Number.POSITIVE_INFINITY) return Promise.resolve(UNLIMITED)
  return counter.take(key, limit)
}

/** Never rejects: a place that cannot be given back is lost, which harms nobody. */
export async function giveBackTo(counter: Counter, key: string | null): Promise<void> {
  if (key === null) return
  await counter.giveBack(key).catch(() => undefined)
}

/** @param milliseconds until places are free again */
export function tooMany(milliseconds: number): TooMany {
  return { kind: 'too-many-attempts', retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) }
}
