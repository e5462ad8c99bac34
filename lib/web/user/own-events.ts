import type { AuditEntry } from '../../ports/audit-log.js'
import { isByAdmin } from '../../service/mails.js'
import type { Site } from '../request/site.js'

/**
 * What last happened to a user's second step, as they see it themselves. Which admin made a change is
 * hidden unless the host says otherwise, and where the admin sat always. The reason is the user's to read.
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
