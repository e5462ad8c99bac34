import { MINUTE_MS } from '../domain/units.js'
import type { AuditEntry } from '../ports/audit-log.js'

/** As long as a pending login lives. */
const LONGEST_LOGIN = 10 * MINUTE_MS

/** What the wrong codes of a login end in. */
const ENDS: readonly AuditEntry['type'][] = [
  ...(['code-accepted', 'backup-code-used', 'one-time-code-used'] as const),
  ...(['authenticator-locked', 'pending-login-used-up', 'wrong-code'] as const),
]

/** What happened, and the wrong codes that came before it in the same login. */
export interface FoldedEntry {
  readonly entry: AuditEntry
  /** Newest first. */
  readonly before: readonly AuditEntry[]
}

/**
 * The attempts of one login together: a user's wrong codes from one address and browser, and what they ended in.
 * Whatever else the user did in between parts them.
 *
 * @param entries newest first
 */
export function foldedEntries(entries: readonly AuditEntry[]): readonly FoldedEntry[] {
  const lines: { readonly entry: AuditEntry; readonly before: AuditEntry[] }[] = []
  const lastOf = new Map<string | null, (typeof lines)[number]>()
  for (const entry of entries) {
    const last = lastOf.get(entry.user)
    if (last !== undefined && isOfLogin(entry, last.entry)) {
      last.before.push(entry)
      continue
    }
    const line = { entry, before: [] }
    lines.push(line)
    lastOf.set(entry.user, line)
  }
  return lines
}

function isOfLogin(entry: AuditEntry, end: AuditEntry): boolean {
  return (
    entry.type === 'wrong-code' &&
    ENDS.includes(end.type) &&
    entry.user !== null &&
    entry.ip === end.ip &&
    entry.userAgent === end.userAgent &&
    end.at - entry.at <= LONGEST_LOGIN
  )
}
