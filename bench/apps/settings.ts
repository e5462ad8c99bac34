/** What the parent tells an app's process in BENCH_SETTINGS. */
export interface Settings {
  readonly redisUrl: string
  /** PostgreSQL for the records, where the app keeps them there. */
  readonly databaseUrl?: string
  /** How many users the host's `users.list` has. */
  readonly listedUsers?: number
}

/** The questions that the parent asks an app's process, and their answers. */
export interface Questions {
  /** User and system time of the process so far, microseconds. */
  cpu: number
  /** What the heap holds after a collection, bytes. */
  heap: number
  /** Puts the clock on by that many milliseconds, for the next code of an authenticator. */
  advance: null
  /** Begins to count what goes to Redis. */
  'count-commands': null
  counted: Counted
  /** Begins to watch the event loop. */
  'watch-loop': null
  /** The longest time that the event loop was blocked, milliseconds. */
  'longest-block': number
}

/** What one request sent to Redis. */
export interface Counted {
  readonly commands: readonly string[]
  /** Commands in sequence: each waited for an earlier answer, and the response for all of them. */
  readonly trips: number
}

export type Question = keyof Questions
