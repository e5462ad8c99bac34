import type { Actor } from '../domain/event.js'
import { EVENT_TYPES } from '../domain/event-kind.js'
import { CHANGEABLE } from '../domain/policy-change.js'
import type { AuditEntry } from '../ports/audit-log.js'

/** The host's id of a user of the records. Null for a user of another realm. */
export interface HostIds {
  readonly hostIdOf: (recordId: string) => string | null
}

/** An entry of the audit log as the wire has it: every member, absent is null; ids are the host's. */
export interface ShownEvent {
  readonly id: string
  /** ISO 8601 */
  readonly at: string
  readonly type: string
  readonly actor: Actor
  readonly user: string | null
  readonly method: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  readonly reason: string | null
  readonly detail: object | null
}

/** The allowed details in JSON. */
const DETAILS = [
  ...['until', 'usableAt', 'expiresAt', 'backupCodesLeft', 'why', 'action', 'code'],
  ...['mail', 'part', 'error', 'changed', 'name', 'serial', 'before', 'browser'],
]

/** Built field by field: whatever else a store has kept beside them does not get out. */
export function shownEvent(site: HostIds, entry: AuditEntry): ShownEvent {
  const hostId = (id: string | null) => (id === null ? null : site.hostIdOf(id))
  return {
    id: entry.id,
    at: new Date(entry.at).toISOString(),
    type: entry.type,
    actor: { kind: entry.actor.kind, id: hostId(entry.actor.id) },
    user: hostId(entry.user),
    method: entry.method,
    ip: entry.ip,
    userAgent: entry.userAgent,
    reason: entry.reason ?? null,
    detail: shownDetail(entry.detail),
  }
}

/** Whether there is a text for it. An older version of the package may meet a newer one's entries. */
export function hasText(type: string): boolean {
  return (EVENT_TYPES as readonly string[]).includes(type)
}

function shownDetail(detail: object | null): object | null {
  if (detail === null) return null
  const shown = pick(detail, DETAILS)
  return Object.fromEntries(
    Object.entries(shown).map(([name, value]) => {
      const ofPolicy = typeof value === 'object' && value !== null
      return [name, ofPolicy ? pick(value, CHANGEABLE) : value]
    }),
  )
}

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
}
