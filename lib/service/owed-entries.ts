import { HOUR_MS } from '../domain/units.js'
import type { AuditEntry, AuditLog } from '../ports/audit-log.js'
import type { System } from '../ports/system.js'

/** How long the log is given them again. */
const OWED_FOR = HOUR_MS
const OWED_AT_MOST = 1000
const EVERY = 2000
const PAGE = 100

/** The entries of one change, which has taken place. */
interface Owed {
  readonly entries: readonly AuditEntry[]
  readonly until: number
}

/**
 * Entries that the log has not taken, of changes that have taken place. Whoever repeats the change finds nothing to
 * change, so nobody else would write them. They are given to the log again in the background; what it has taken after
 * all is not.
 */
export class OwedEntries {
  readonly #log: Pick<AuditLog, 'append' | 'list'>
  readonly #clock: () => number
  readonly #every: number
  readonly #report: (error: unknown) => void
  readonly #owed = new Set<Owed>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null
  #stopped = false

  /**
   * @param log with a limit of time
   * @param every milliseconds between two looks. Default 2000
   * @param report tells the operator what is given up
   */
  constructor(
    log: Pick<AuditLog, 'append' | 'list'>,
    system: Pick<System, 'monotonic'>,
    { every = EVERY, report }: { every?: number; report: (error: unknown) => void },
  ) {
    this.#log = log
    this.#clock = () => system.monotonic?.() ?? performance.now()
    this.#every = every
    this.#report = report
  }

  /** Entries of one change: all about the same user, and of the same time. */
  add(entries: readonly AuditEntry[]): void {
    if (entries.length === 0) return
    if (this.#owed.size >= OWED_AT_MOST) this.#giveUp([entries])
    else this.#owed.add({ entries, until: this.#clock() + OWED_FOR })
    this.#lookLater()
  }

  /** Gives the log each of them once; one that does not answer is asked only once. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch(this.#report)
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  /** Looks a last time, and gives up what is left. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
    await this.look()
    this.#giveUp([...this.#owed].map(({ entries }) => entries))
    this.#owed.clear()
  }

  async #look(): Promise<void> {
    const now = this.#clock()
    const late = [...this.#owed].filter(({ until }) => now >= until)
    for (const owed of late) this.#owed.delete(owed)
    this.#giveUp(late.map(({ entries }) => entries))
    for (const owed of [...this.#owed]) {
      try {
        await this.#write(owed.entries)
        this.#owed.delete(owed)
      } catch {
        // To the end, so that entries that the log never takes keep no others waiting.
        if (this.#owed.delete(owed)) this.#owed.add(owed)
        return
      }
    }
  }

  /** The call that failed may have added them. */
  async #write(entries: readonly AuditEntry[]): Promise<void> {
    const { user = null, at = 0 } = entries[0] ?? {}
    const page = await this.#log.list({ user, cursor: null, limit: PAGE, from: at, to: at })
    const there = new Set(page?.entries.map(({ id }) => id))
    const missing = entries.filter(({ id }) => !there.has(id))
    if (missing.length > 0) await this.#log.append(missing)
  }

  #lookLater(): void {
    if (this.#stopped || this.#timer !== undefined || this.#owed.size === 0) return
    this.#timer = setTimeout(async () => {
      await this.look()
      this.#timer = undefined
      this.#lookLater()
    }, this.#every)
    this.#timer.unref()
  }

  #giveUp(changes: readonly (readonly AuditEntry[])[]): void {
    if (changes.length === 0) return
    const types = [...new Set(changes.flat().map(({ type }) => type))].join(', ')
    const what = `${changes.flat().length} entries of changes that took place (${types})`
    this.#report(new Error(`the audit log has not taken ${what}: given up`))
  }
}
