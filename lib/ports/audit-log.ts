import type { Actor, SecondStepEventType } from '../domain/event.js'
import type { Method } from '../domain/stamp.js'

/** One thing that happened to somebody's second step. Never holds a secret or a code. */
export interface AuditEntry {
  /** Unique, and sorted as text by time: 30 hexadecimal digits. */
  readonly id: string
  /** Milliseconds since 1970 (UTC). */
  readonly at: number
  readonly type: SecondStepEventType
  readonly actor: Actor
  /**
   * The user whose second step it is. Null for an event about no single user, such as the policy.
   */
  readonly user: string | null
  readonly method: Method | null
  readonly ip: string | null
  readonly userAgent: string | null
  /** The admin's reason, or null. */
  readonly reason: string | null
  /** Further details of an event of this type, as JSON. */
  readonly detail: object | null
}

/** The query of a list. */
export interface AuditQuery {
  /** Only entries about this user; null: about everybody. */
  readonly user: string | null
  /** `next` of the page before; null: the newest. */
  readonly cursor: string | null
  /** Entries on a page, 1 to 100. */
  readonly limit: number
  /**
   * The time, in milliseconds: what the log does not keep so long is not listed, even if it is still
   * there. Without it everything is that is still there.
   */
  readonly now?: number
  /**
   * Only this type is wanted. A log may disregard this and the two below: whoever asks looks through what it lists.
   */
  readonly type?: SecondStepEventType
  /** Nothing older is wanted: `at` in milliseconds. */
  readonly from?: number
  /** Nothing newer is wanted: `at` in milliseconds. */
  readonly to?: number
}

/** Entries, newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** Cursor of the page of older ones, or null where there are none. */
  readonly next: string | null
}

/** How many codes and keys were accepted in a day, and how many wrong codes there were. */
export interface DayAttempts {
  /** Entries of the type `code-accepted`. */
  readonly accepted: number
  /** Entries of the type `wrong-code`. */
  readonly wrong: number
}

/**
 * Keeps events. Append-only: no method changes or deletes an entry. Check your adapter with the
 * conformance suite in `passport-second-step/testing`.
 */
export interface AuditLog {
  /**
   * Required. Adds the entries, durably, in this order. A call that rejected, or was silent, may be repeated: if you can,
   * leave out entries whose `id` is there already.
   *
   * @throws anything, where it is not known whether they were added
   */
  append(entries: readonly AuditEntry[]): Promise<void>

  /** Required. A page, or null for a cursor that no page has given. Rejects as `append` does. */
  list(query: AuditQuery): Promise<AuditPage | null>

  /**
   * Optional. Counts the attempts of a day, for the admins' overview: called for 30 days at first, then for the last
   * two. Without it the overview shows none. Rejects as `append` does.
   *
   * @param day whole days since 1970 (UTC); `at` of an entry divided by 86,400,000 and rounded down
   */
  attemptsOf?(day: number): Promise<DayAttempts>

  /** Optional. The prefix that separates this log from another app's in one Redis. */
  readonly prefix?: string
}
