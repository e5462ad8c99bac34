import { randomBytes } from 'node:crypto'
import type { AuditEntry } from '../../lib/ports/audit-log.js'

const AT = 1_800_000_000_000

/** An entry of the audit log with an id of its own, about something that a user did. */
export function auditEntry(user: string, type: AuditEntry['type'] = 'code-accepted'): AuditEntry {
  const id = `${AT.toString(16).padStart(12, '0')}${randomBytes(9).toString('hex')}`
  const more = { method: 'totp', ip: null, userAgent: null, reason: null, detail: null } as const
  return { id, at: AT, type, user, actor: { kind: 'user', id: user }, ...more }
}
