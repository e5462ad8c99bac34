import type { AuditEntry, AuditLog, AuditPage } from '../../lib/index.js'
import type { Audited } from './history.js'
import { pause } from './waiting.js'

const AT_ONCE = 8

/** Counts what the audit log has of each user. */
export async function readAudits(audit: AuditLog, users: readonly string[]): Promise<Audited[]> {
  const waiting = [...users]
  const audited: Audited[] = []
  const one = async () => {
    for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) {
      audited.push(await patiently(audit, user))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return audited
}

/** This client may not have heard of the last failover yet. */
async function patiently(audit: AuditLog, user: string, tries = 10): Promise<Audited> {
  try {
    return await readAudit(audit, user)
  } catch (error) {
    if (tries === 1) throw error
    await pause(500)
    return patiently(audit, user, tries - 1)
  }
}

async function readAudit(audit: AuditLog, user: string): Promise<Audited> {
  const entries: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page: AuditPage | null = await audit.list({ user, cursor, limit: 100 })
    entries.push(...(page?.entries ?? []))
    cursor = page?.next ?? null
  } while (cursor !== null)
  const count = (...kinds: readonly string[]) =>
    entries.filter(({ type, method }) => kinds.includes(`${type} ${method}`)).length
  return {
    kind: 'audited',
    user,
    codes: count('code-accepted totp'),
    backupCodes: count('code-accepted backup-code'),
    wrong: count('wrong-code totp', 'wrong-code null'),
  }
}
