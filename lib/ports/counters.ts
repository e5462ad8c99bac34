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

/** Makes the counters. All calls reject where the counts cannot be known; nothing is unlimited. */
export interface Counters {
  /**
   * @param name what is counted, unique in the package
   * @param seconds how long a window lasts
   */
  counter(name: string, seconds: number): Counter
}
