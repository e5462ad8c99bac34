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

/** @param milliseconds until places are free again */
export function tooMany(milliseconds: number): TooMany {
  return { kind: 'too-many-attempts', retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) }
}
