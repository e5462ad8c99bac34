import type { AuditEntry } from '../ports/audit-log.js'
import { isByAdmin } from '../service/mails.js'
import type { Site } from './site.js'

/**
 * What last happened to a user's second step, as he himself sees it. Which admin it was, where he sat
 * and why he did it are none of the user's business; who, where the host says so.
 */
export async function ownEvents(
  { audit, nameAdmins }: Pick<Site, 'audit' | 'nameAdmins'>,
  userId: string,
): Promise<readonly AuditEntry[]> {
  const entries = await audit.lastOf(userId, ({ type }) => type !== 'change-refused')
  return entries.map((entry) => {
    if (!isByAdmin(entry)) return entry
    const { kind, id } = entry.actor
    const actor = { kind, id: nameAdmins ? id : null }
    return { ...entry, actor, ip: null, userAgent: null, reason: null }
  })
}
