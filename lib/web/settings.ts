import { backupCodesLeft } from '../domain/backup-codes.js'
import { freshUntil } from '../domain/stamp.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { wantsJson } from './faces.js'
import type { Handler } from './handler.js'
import { sendJson, showPage } from './respond.js'
import type { SignedInVisitor } from './visitor.js'

/** GET `/` */
export const showSettings: Handler<SignedInVisitor> = async ({ site, req, res, visitor }) => {
  const { userId, record, policy, stamp } = visitor
  const { authenticator, backupCodes } = record
  const until = stamp === null ? null : freshUntil(stamp)
  const summary = {
    enrolled: authenticator !== null,
    method: authenticator?.type ?? null,
    since: authenticator === null ? null : new Date(authenticator.since).toISOString(),
    backupCodesLeft: backupCodesLeft(backupCodes),
    backupCodesSaved: backupCodes?.saved ?? false,
  }
  if (!wantsJson(req)) {
    await showPage(site, req, res, 'settings', { problem: null, ...summary })
    return undefined
  }
  sendJson(res, {
    ...summary,
    mustSetUp: false,
    setupDeadline: null,
    canDisable: authenticator !== null && policy.mode !== 'required',
    pausedUntil: null,
    freshUntil: until !== null && until > site.system.now() ? new Date(until).toISOString() : null,
    resetPending: null,
    trustedBrowsers: [],
    events: (await site.audit.lastOf(userId)).map(shownEntry),
  })
  return undefined
}

/** An entry of the audit log as the wire has it: every member, absent is null. */
function shownEntry({ at, userId, ...entry }: AuditEntry) {
  return { ...entry, at: new Date(at).toISOString(), user: userId, reason: null, detail: null }
}
