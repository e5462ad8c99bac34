import type { AuditEntry, AuditLog, AuditPage, AuditQuery } from '../ports/audit-log.js'
import { within } from '../ports/within.js'

const PART = 'the audit log'
const LAST_OF_A_USER = 10

/** The audit log, with the limit in time that every port has. */
export class Audit {
  readonly #log: AuditLog

  constructor(log: AuditLog) {
    this.#log = log
  }

  append(entries: readonly AuditEntry[]): Promise<void> {
    return within(PART, () => this.#log.append(entries))
  }

  /** What last happened to a user's second step, newest first. */
  async lastOf(user: string): Promise<readonly AuditEntry[]> {
    const page = await this.page({ user, cursor: null, limit: LAST_OF_A_USER })
    return page?.entries ?? []
  }

  /** A page, newest first, or null for a cursor that no page has given. */
  async page(query: AuditQuery): Promise<AuditPage | null> {
    const { user, cursor } = query
    return within(PART, async () => {
      const page = await this.#log.list(query)
      if (page === null && cursor !== null) return null
      const own = page?.entries.every((entry) => user === null || entry.user === user)
      if (page === null || own !== true) throw new Error('the audit log answered nonsense')
      return page
    })
  }
}
