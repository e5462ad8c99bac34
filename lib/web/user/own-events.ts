import type { AuditEntry } from '../../ports/audit-log.js'
import { isByAdmin } from '../../service/mails.js'
import type { Site } from '../request/site.js'

/**
 * The last events of a user's second step, as the user sees them. Hides which admin made a change,
 * unless the host says otherwise, and always hides the admin's address and browser. Shows the
 * reason.
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
    return { ...entry, actor, ip: null, userAgent: null }
  })
}
