import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordList } from '../domain/record-list.js'
import type { TokenClaim } from '../domain/serial-claim.js'
import type { AuditEntry, AuditLog } from './audit-log.js'
import type { Counters } from './counters.js'
import type { Signals } from './signals.js'

/** The query of a list. */
export interface RecordQuery {
  readonly list: RecordList
  /** `next` of the page before of the same list; null: the first page. */
  readonly cursor: string | null
  /** Records on a page, 1 to 100. */
  readonly limit: number
  /** The moment at which a lock or a pause is over and a reset due, or not, in milliseconds. */
  readonly now: number
}

/** Records of a list. */
export interface RecordPage {
  /** May be fewer than the limit, even none, while `next` says that there are more. */
  readonly records: readonly SecondStepRecord[]
  /** Cursor of the next page, or null where this is the last. */
  readonly next: string | null
  /**
   * Optional. Records that the list names but the store cannot find, in the store's own words, such
   * as keys. Reading or writing such a record must reject.
   */
  readonly lost?: readonly string[]
  /**
   * Optional. Parts of the list that the store has lost, in the store's own words: the pages leave out who is in
   * them.
   */
  readonly lostLists?: readonly string[]
}

/** What every request needs to know: a user's record and the policy, each null where none was written. */
export interface RecordAndPolicy {
  readonly record: SecondStepRecord | null
  readonly policy: Policy | null
}

/** Writes records together with entries of an audit log in the same place. */
export interface WriteWithEntries {
  /**
   * The store's own `write` and `audit`. In a store that is made of this one with another of either,
   * the package writes and appends by those, one after the other.
   */
  readonly write: RecordStore['write']
  readonly audit: AuditLog
  /**
   * As `write`. In the same transaction appends the entries if this call puts the record in place: not
   * if it answers `false`, nor if the record is already stored because the call was sent again.
   *
   * @throws anything, where it is not known whether the write took place; entries and record are there
   *   both, or neither
   */
  run(
    record: SecondStepRecord,
    expectedVersion: number,
    entries: readonly AuditEntry[],
  ): Promise<boolean>
}

/** What a store is trusted on, where that can be read. Each rejects where it does not hold, and only reads. */
export interface StoreChecks {
  /** The store was not emptied. */
  readonly marker?: () => Promise<void>
  /** What it holds is in the shape of this version. */
  readonly migration?: () => Promise<void>
}

/**
 * Keeps the records and the policy document. They are a database: a lost record would read as "not
 * enrolled" and the password alone would open the account, so an adapter must reject rather than
 * answer `null` when it cannot know.
 *
 * The conformance suite in `passport-second-step/testing` tells whether an adapter gets it right.
 */
export interface RecordStore {
  /**
   * Required. The user's record, or `null` for a user about whom nothing was ever written.
   *
   * @param userId any non-empty string, also `*`, `a:b`, `__proto__` or one with line breaks
   * @throws anything, where the answer cannot be known: unreachable, emptied, not set up, unparsable
   */
  find(userId: string): Promise<SecondStepRecord | null>

  /**
   * Required. Puts the record in place of the version that is expected (0: none), atomically and
   * durably, and answers whether this very write is now or already the stored one: `true` also
   * when the stored record has this record's `writeId`, because clients resend after a dropped
   * connection. Answers `false`, changing nothing, when another version is stored.
   *
   * @throws anything, where it is not known whether the write took place
   */
  write(record: SecondStepRecord, expectedVersion: number): Promise<boolean>

  /** Required. The policy document, or `null` while nobody has written one. Rejects as `find` does. */
  findPolicy(): Promise<Policy | null>

  /** Required. As `write`, for the policy document. */
  writePolicy(policy: Policy, expectedVersion: number): Promise<boolean>

  /**
   * Required. A page of a list, or null for a cursor that no page of that list has given. The order
   * is the adapter's own; who is in the list from the first page to the last is met exactly once.
   * A list with few records in it must not cost more because there are many others: see
   * `listPlaceOf`. Rejects as `find` does.
   */
  list(query: RecordQuery): Promise<RecordPage | null>

  /**
   * Optional. `find` and `findPolicy` in one trip, for stores that are asked over a network: every
   * request of a signed-in user needs both. An adapter that is made of another one and changes `find`
   * or `findPolicy` must change or leave out this one too. Rejects as `find` does, where either fails.
   *
   * @param hint `atLogin`: many of those who sign in have no record, so a store that needs a second look to tell
   *   that better takes both at once
   */
  read?(userId: string, hint?: { readonly atLogin: boolean }): Promise<RecordAndPolicy>

  /**
   * Optional. `find` for up to 100 users in few trips: pages for admins show as many. For each user, in
   * the order of the ids, what `find` would say, as `Promise.allSettled` tells it, so that one lost record
   * hides no other. An adapter that is made of another one and changes `find` must change or leave out
   * this one too. Rejects as `find` does, where nothing is known of anybody.
   */
  findMany?(
    userIds: readonly string[],
  ): Promise<readonly PromiseSettledResult<SecondStepRecord | null>[]>

  /**
   * Optional, and needed to assign hardware tokens. The claim of a serial number, or of a token's key under its
   * name, or `null` while nobody has claimed it. Rejects as `find` does.
   *
   * @param serial at most 64 printable ASCII characters, letters in upper case. The name of a key begins with a
   *   blank, which must not be lost: by it no serial number is the name of a key
   */
  findSerial?(serial: string): Promise<TokenClaim | null>

  /** Optional, and needed beside `findSerial`. As `write`, for such a claim: whole, whatever members it has. */
  writeSerial?(claim: TokenClaim, expectedVersion: number): Promise<boolean>

  /**
   * Optional. Whether a write may reject for want of replicas and have taken place: a failover can forget it then.
   * An answer by what is there already waits for a write of the same document, with its own `writeId`.
   */
  readonly waitsForReplicas?: boolean

  /** Optional. How many records there are, or about; commands tell by it how far they are. */
  count?(): Promise<number>

  /** Optional. An audit log in the same place, for hosts that name no other. */
  readonly audit?: AuditLog

  /** Optional. Used where `audit` is the log in use: a decision waits for the store once, not twice. */
  readonly writeWith?: WriteWithEntries

  /** Optional. Counters in the same place, for hosts that name no others. */
  readonly counters?: Counters

  /**
   * Optional. Tells the other processes on this store of changes, for the option `revocation`. Without it
   * they find them within its time.
   */
  readonly signals?: Signals

  /**
   * Optional. The prefix that separates this app's keys from another app's in one Redis. Counters
   * that have no prefix of their own use it too.
   */
  readonly prefix?: string

  /**
   * Optional. Called once before the first use. If it rejects, it is called again before the next
   * use. Checks the conditions for trusting the store (the marker, the schema, the persistence).
   *
   * @param environment `timeout`: milliseconds that a call may take before its caller is refused
   */
  open?(environment: { production: boolean; timeout?: number }): Promise<void>

  /** Optional. What `health()` asks beside a read. */
  readonly checks?: StoreChecks

  /** Optional. Releases what the adapter itself opened; clients given by the host stay open. */
  close?(): Promise<void>
}
