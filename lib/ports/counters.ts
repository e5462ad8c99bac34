/** The outcome of taking a place. */
export interface Taking {
  readonly taken: boolean
  /** Places that are left now. */
  readonly left: number
  /** Milliseconds until places are free again; 0 where one was taken. */
  readonly retryAfter: number
}

/**
 * Counts in a window of time that begins with the first count. Losing counts does no harm: the
 * limits for promise 3 are in the record.
 */
export interface Counter {
  /**
   * Takes one place under the key and returns whether it was within the limit. Callers take a place
   * before the verdict and give it back if it was no miss, which keeps parallel guesses within the
   * limit.
   *
   * @param key any string; adapters hash it
   * @param limit places in one window
   */
  take(key: string, limit: number): Promise<Taking>
  /** Gives a taken place back. */
  giveBack(key: string): Promise<void>
  /**
   * The number of places taken in the present window. Only reads: it takes no place and opens no
   * window.
   */
  taken(key: string): Promise<number>
}

/** A place in the counter that `Counters.counter` makes by this name and window. */
export interface Place {
  readonly name: string
  readonly seconds: number
  readonly key: string
}

/** A place to take. */
export interface WantedPlace extends Place {
  readonly limit: number
  /** Where places are taken one by one: before the others, which open no window if it is refused. */
  readonly first?: boolean
  /** Taken if it is free, and no reason to refuse the others. */
  readonly optional?: boolean
}

/** Makes the counters. All calls reject where the counts cannot be known; nothing is unlimited. */
export interface Counters {
  /**
   * @param name what is counted, unique in the package
   * @param seconds how long a window lasts
   */
  counter(name: string, seconds: number): Counter

  /**
   * Optional. The prefix that separates these counts from another app's. Without it, names begin with the prefix of the
   * record store, if that has one.
   */
  readonly prefix?: string

  /**
   * Optional. Several places in one call, so that an attempt waits for the counters once. First gives
   * the places in `back` back. Then takes all that are wanted, or none if one of them is over its limit.
   *
   * @param wanted no two of the same counter and key
   * @returns for each that is wanted, in order. On a refusal none is taken, not even an optional one, and
   *   `retryAfter` is 0 for those that were free
   */
  takeAll?(wanted: readonly WantedPlace[], back: readonly Place[]): Promise<readonly Taking[]>
}
