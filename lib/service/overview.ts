import {
  type CountedUser,
  countUser,
  dayOf,
  noCounts,
  OVERVIEW_DAYS,
  type OverviewCounts,
} from '../domain/overview.js'
import type { Policy, Subject } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { MINUTE_MS } from '../domain/units.js'
import type { KeyIds } from '../factors/key-status.js'
import type { DayAttempts } from '../ports/audit-log.js'
import type { Accounts } from './accounts.js'
import type { Audit } from './audit.js'
import type { FailureReporter } from './failure-reporter.js'
import { isOdd } from './odd-user.js'
import { noCircle, pauseBetweenPages } from './page-by-page.js'
import type { Records } from './records.js'

const PAGE = 100
/** Milliseconds that a request waits for a count: enough for some hundred users. */
const PATIENCE = 100
/** A count is repeated no sooner, and no sooner than in so many times the time that it took. */
const KEPT_FOR = MINUTE_MS
const KEPT_TIMES = 4

/** A finished count. */
export interface Counted {
  /** When it began, in milliseconds. */
  readonly at: number
  /** Whether all of the host's users were counted. If not, it is those who are enrolled. */
  readonly isOfAll: boolean
  readonly counts: OverviewCounts
  /** Of the same days as `counts.setUp`. Null: the audit log cannot count them. */
  readonly attempts: readonly DayAttempts[] | null
}

/** What is known at a request. */
export interface OverviewNow {
  /** Null: nothing was counted yet. */
  readonly counted: Counted | null
  /** How many users the count under way has met. Null: none is under way. */
  readonly soFar: number | null
}

export interface OverviewParts {
  readonly accounts: Pick<Accounts<unknown>, 'searchable' | 'list' | 'lookUpAll'>
  readonly records: Pick<Records, 'findMany' | 'list' | 'policy'>
  /** Null: the log also has users of other realms, who are counted with this one's. */
  readonly audit: Pick<Audit, 'attemptsOf' | 'page'> | null
  /** Whether the id of a record is one of this app's users. */
  readonly isOwn: (recordId: string) => boolean
  readonly roles: readonly string[]
  readonly keyIds: KeyIds
  readonly window: number
  readonly failureReporter: Pick<FailureReporter, 'report'>
  readonly now: () => number
  /** Runs it in no request's context: a count would be thousands of spans of the one that began it. */
  readonly apart: <T>(run: () => T) => T
}

/** How a count goes on. */
interface Course {
  /** Resolves when the next page may be read. */
  readonly pause: () => Promise<unknown>
  /** @param users how many were met */
  readonly met: (users: number) => void
}

interface Page {
  readonly users: readonly CountedUser[]
  readonly next: string | null
}

/** The end of a count. */
interface Ended {
  readonly at: number
  /** Milliseconds in which none is repeated. */
  readonly rest: number
  /** The version of the policy that it was made by. Null: it failed. */
  readonly policy: number | null
}

/**
 * Counts second steps, page by page, in the background and only while somebody looks or measures: a number is not
 * worth a login that waits. What was counted is kept for a minute at least.
 */
export class Overview {
  readonly #parts: OverviewParts
  /** Of days that are over, which do not change any more. */
  readonly #attempts = new Map<number, DayAttempts>()
  /** The log has users of other realms as well. */
  #isShared = false
  #kept: Counted | null = null
  #ended: Ended | null = null
  #counting: Promise<void> | null = null
  #soFar = 0
  #stopped = false

  constructor(parts: OverviewParts) {
    this.#parts = parts
  }

  /**
   * The newest count. If it is out of date, another begins. Waits for it for a moment if none was made by this policy.
   */
  async now(policy: Policy): Promise<OverviewNow> {
    if (this.#isDue(policy)) this.#begin(async () => policy)
    if (this.#counting !== null && this.#ended?.policy !== policy.version) {
      await atMost(PATIENCE, this.#counting)
    }
    return { counted: this.#kept, soFar: this.#counting === null ? null : this.#soFar }
  }

  /** The newest count, without waiting. If it is out of date, another begins: a change of the policy alone begins none. */
  newest(): Counted | null {
    if (this.#isDue(null)) this.#begin(() => this.#parts.records.policy())
    return this.#kept
  }

  /** The newest count by this policy, without waiting; null if there is none. If it is out of date, another begins. */
  known(policy: Policy): Counted | null {
    if (this.#isDue(policy)) this.#begin(async () => policy)
    return this.#ended?.policy === policy.version ? this.#kept : null
  }

  /**
   * Counts now, to the end and without pauses.
   *
   * @throws UnavailableError where a page cannot be read
   */
  async whole(policy: Policy, met: Course['met']): Promise<Counted> {
    return this.#count(policy, { pause: nextTick, met })
  }

  /** Resolves when the page under way is read. No count begins any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#counting
  }

  #begin(policyOf: () => Promise<Policy>): void {
    const { apart, failureReporter } = this.#parts
    this.#soFar = 0
    // Nobody may be waiting for it, and the host's clock can fail even while a failure is dated.
    this.#counting = apart(() => this.#keep(policyOf))
      .catch((error: unknown) => failureReporter.report(error))
      .finally(() => {
        this.#counting = null
      })
  }

  /** @param policy null: whatever it is now */
  #isDue(policy: Policy | null): boolean {
    if (this.#counting !== null || this.#stopped) return false
    if (this.#ended === null) return true
    const { at, rest, policy: before } = this.#ended
    if (policy !== null && before !== null && before !== policy.version) return true
    const now = this.#parts.now()
    // A clock that was set back must not keep an old count.
    return now < at || now >= at + rest
  }

  /** Reports failures to the operator. */
  async #keep(policyOf: () => Promise<Policy>): Promise<void> {
    const { now, failureReporter } = this.#parts
    const began = now()
    const met = (users: number) => {
      this.#soFar = users
    }
    const rest = () => Math.max(KEPT_FOR, KEPT_TIMES * (now() - began))
    try {
      const policy = await policyOf()
      this.#kept = await this.#count(policy, { pause: pauseBetweenPages, met })
      this.#ended = { at: now(), rest: rest(), policy: policy.version }
    } catch (error) {
      this.#ended = { at: now(), rest: rest(), policy: null }
      if (!this.#stopped) failureReporter.report(error)
    }
  }

  async #count(policy: Policy, { pause, met }: Course): Promise<Counted> {
    const { accounts, roles, keyIds, window, now } = this.#parts
    const at = now()
    const by = { policy, roles, keyIds, window, now: at }
    let counts = noCounts(roles)
    const pass = noCircle(() => new Error('a list of users goes in a circle'))
    let cursor: string | null = null
    do {
      if (cursor !== null) await pause()
      if (this.#stopped) throw new Error('stopped')
      const page: Page = await this.#page(cursor, at)
      for (const user of page.users) counts = countUser(counts, user, by)
      met(counts.users)
      cursor = pass(page.next)
    } while (cursor !== null)
    // A slow audit log must not cost the numbers of users.
    const attempts = await this.#ownAttemptsUntil(dayOf(at), at).catch((error: unknown) => {
      this.#parts.failureReporter.report(error)
      return null
    })
    return { at, isOfAll: accounts.searchable, counts, attempts }
  }

  #page(cursor: string | null, now: number): Promise<Page> {
    return this.#parts.accounts.searchable ? this.#ofHost(cursor) : this.#ofRecords(cursor, now)
  }

  async #ofHost(cursor: string | null): Promise<Page> {
    const { accounts, records } = this.#parts
    const page = await accounts.list({ search: '', cursor, limit: PAGE })
    if (page === null) throw new Error('users.list does not know its own cursor')
    const known = page.accounts.flatMap((one) => (isOdd(one) ? [] : [one]))
    const found = await records.findMany(known.map(({ id }) => id))
    const users = known.map(({ subject }, at) => counted(found[at] ?? null, subject))
    const odd = page.accounts.slice(known.length).map(() => null)
    return { users: [...users, ...odd], next: page.next }
  }

  async #ofRecords(cursor: string | null, now: number): Promise<Page> {
    const { accounts, records } = this.#parts
    const page = await records.list({ list: 'enrolled', cursor, limit: PAGE, now })
    if (page === null) throw new Error('the record store does not know its own cursor')
    for (const lost of page.lostLists) throw new Error(lost)
    const ids = [...page.records.map(({ userId }) => userId), ...page.damaged]
    const found = await accounts.lookUpAll(ids)
    const users = found.flatMap((one, at) => {
      if (one.kind === 'odd') return [null]
      // The damaged ones come after the records.
      return one.kind === 'found' ? [counted(page.records[at] ?? null, one.account.subject)] : []
    })
    return { users, next: page.next }
  }

  /** A log counts everybody. Where users of another realm show, nobody knows how many of the attempts are theirs. */
  async #ownAttemptsUntil(today: number, now: number): Promise<readonly DayAttempts[] | null> {
    const { audit, records, isOwn } = this.#parts
    if (audit === null || this.#isShared) return null
    const [log, enrolled] = await Promise.all([
      audit.page({ user: null, cursor: null, limit: PAGE }),
      records.list({ list: 'enrolled', cursor: null, limit: PAGE, now }),
    ])
    const users = [
      ...(log?.entries ?? []).map(({ user }) => user),
      ...(enrolled?.records ?? []).map(({ userId }) => userId),
    ]
    this.#isShared = users.some((user) => user !== null && !isOwn(user))
    return this.#isShared ? null : this.#attemptsUntil(today)
  }

  /** Yesterday's may still come late, by a clock that is behind. */
  async #attemptsUntil(today: number): Promise<readonly DayAttempts[] | null> {
    const days: DayAttempts[] = []
    for (let day = today - OVERVIEW_DAYS + 1; day <= today; day += 1) {
      const found = this.#attempts.get(day) ?? (await this.#parts.audit?.attemptsOf(day)) ?? null
      if (found === null) return null
      if (day < today - 1) this.#attempts.set(day, found)
      days.push(found)
    }
    for (const day of this.#attempts.keys()) {
      if (day <= today - OVERVIEW_DAYS) this.#attempts.delete(day)
    }
    return days
  }
}

function counted(record: SecondStepRecord | null, subject: Subject): CountedUser {
  return record === null ? null : { record, subject }
}

function nextTick(): Promise<unknown> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, over]).finally(() => clearTimeout(timer))
}
