import { isAttempt } from '../domain/event-kind.js'
import type {
  AuditEntry,
  AuditLog,
  AuditPage,
  AuditQuery,
  DayAttempts,
} from '../ports/audit-log.js'
import type { System } from '../ports/system.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { NotedAttempts } from './noted-attempts.js'
import { OwedEntries } from './owed-entries.js'

const PART = 'the audit log'
const LAST_OF_A_USER = 10
const FIRST_PAGE = 50
const NEXT_PAGE = 100
/** So a list needs few reads, also of who is attacked for days: 550 entries. */
const PAGES_AT_MOST = 6
/** Of what somebody can cause as often as they like, while there is something else to show. */
const ATTEMPTS_OF_A_KIND = 3

/** What entries that are written later need. */
interface Background {
  readonly system: Pick<System, 'monotonic'>
  readonly report: (error: unknown) => void
  /** Milliseconds between two tries. Default 2000. */
  readonly every?: number
}

/** The audit log, with the time limit of every port. */
export class Audit {
  readonly #log: AuditLog
  readonly #noted: NotedAttempts | null
  readonly #timeout: number
  readonly #now: (() => number) | null
  readonly #owed: OwedEntries | null

  /**
   * @param timeout milliseconds that one call may take
   * @param noted says which attempts are worth an entry. Default: all of them
   * @param now tells which entries are too old. Default: none that the log still has
   * @param background the clock, and who is told of entries that are given up. Default: none is written later
   */
  constructor(
    log: AuditLog,
    timeout: number,
    noted: NotedAttempts | null = null,
    now: (() => number) | null = null,
    background: Background | null = null,
  ) {
    this.#log = log
    this.#now = now
    this.#noted = noted
    this.#timeout = timeout
    const timed = {
      append: (entries: readonly AuditEntry[]) => this.#append(entries),
      list: (query: AuditQuery) => this.page(query),
    }
    this.#owed = background && new OwedEntries(timed, background.system, background)
  }

  /**
   * @param tookPlace whether a change has taken place. What the log does not take of one is written later; attempts are
   *   not, because somebody could fill the memory with them
   */
  async append(entries: readonly AuditEntry[], { tookPlace = false } = {}): Promise<void> {
    const kept = await this.toKeep(entries)
    if (kept.length === 0) return
    try {
      await this.#append(kept)
    } catch (error) {
      const isOwed = (entry: AuditEntry) => tookPlace && !isAttempt(entry)
      this.#owed?.add(kept.filter(isOwed))
      // Counters that are silent too must not make the refusal later.
      void this.giveBack(kept.filter((entry) => !isOwed(entry)))
      throw error
    }
  }

  /** Writes what the log has not taken, a last time. Never rejects. */
  async settle(): Promise<void> {
    await this.#owed?.stop()
  }

  #append(entries: readonly AuditEntry[]): Promise<void> {
    return withTimeout(PART, () => this.#log.append(entries), this.#timeout)
  }

  /** The entries to keep. Takes their places among the attempts of the day. */
  async toKeep(entries: readonly AuditEntry[]): Promise<readonly AuditEntry[]> {
    return this.#noted === null ? entries : this.#noted.toKeep(entries)
  }

  /** They were not written: gives their places back. Never rejects. */
  async giveBack(entries: readonly AuditEntry[]): Promise<void> {
    await this.#noted?.giveBack(entries)
  }

  /**
   * The last events of a user's second step, newest first. Attempts, such as an admin's refused changes, are few
   * among others: whoever makes them at will must not hide what else there was. So it reads on where they fill a page.
   *
   * @param wanted default: everything. What else there is is passed over
   */
  async lastOf(
    user: string,
    wanted: (entry: AuditEntry) => boolean = () => true,
  ): Promise<readonly AuditEntry[]> {
    const found: AuditEntry[] = []
    let cursor: string | null = null
    for (let read = 0; read < PAGES_AT_MOST; read += 1) {
      const limit = read === 0 ? FIRST_PAGE : NEXT_PAGE
      const page: AuditPage | null = await this.page({ user, cursor, limit })
      found.push(...(page?.entries ?? []).filter(wanted))
      cursor = page?.next ?? null
      if (cursor === null || fewOfAKind(found).length >= LAST_OF_A_USER) break
    }
    return mixed(found)
  }

  /** The attempts of a day. Null: the log cannot count them. */
  async attemptsOf(day: number): Promise<DayAttempts | null> {
    if (this.#log.attemptsOf === undefined) return null
    return withTimeout(
      PART,
      async () => {
        const { accepted, wrong } = Object((await this.#log.attemptsOf?.(day)) ?? {})
        if (Number.isSafeInteger(accepted) && Number.isSafeInteger(wrong))
          return { accepted, wrong }
        throw new Error('the audit log answered nonsense')
      },
      this.#timeout,
    )
  }

  /** A page, newest first, or null for a cursor that no page has given. */
  async page(query: AuditQuery): Promise<AuditPage | null> {
    const { user, cursor } = query
    return withTimeout(
      PART,
      async () => {
        const page = await this.#log.list(
          this.#now === null ? query : { ...query, now: this.#now() },
        )
        if (page === null && cursor !== null) return null
        const own = page?.entries.every((entry) => user === null || entry.user === user)
        if (page === null || own !== true) throw new Error('the audit log answered nonsense')
        return page
      },
      this.#timeout,
    )
  }
}

/** So many as are shown, in their order: attempts beyond their places only where nothing else takes these. */
function mixed(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  const first = fewOfAKind(entries)
  const shown = new Set([...new Set([...first, ...entries])].slice(0, LAST_OF_A_USER))
  return entries.filter((entry) => shown.has(entry))
}

/** All but the attempts beyond the first few of a kind. */
function fewOfAKind(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  const counts = new Map<string, number>()
  return entries.filter((entry) => {
    const count = (counts.get(entry.type) ?? 0) + 1
    counts.set(entry.type, count)
    return count <= ATTEMPTS_OF_A_KIND || !isAttempt(entry)
  })
}
