import { byCode } from './by-code.js'
import { wantsJson } from './faces.js'
import type { Handler } from './handler.js'
import { nextOf } from './needs.js'
import { occasionOf } from './occasion.js'
import { redirect, sendJson, showPage } from './respond.js'
import { saveSession } from './session.js'
import { refuseOnSettings } from './settings.js'
import type { SignedInVisitor } from './visitor.js'

/** POST `/backup-codes` */
export const makeBackupCodes: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (!visitor.policy.backupCodes) return { code: 'switched-off' }
  const outcome = await byCode(exchange, (attempt) => site.backupCodes.replace(attempt))
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, 'backup-codes')
  const codes = outcome.done.result
  if (wantsJson(req)) {
    sendJson(res, { backupCodes: codes })
    return undefined
  }
  const made = { codes, madeAt: new Date(site.system.now()), sessionsEnded: false }
  await showPage(site, req, res, 'backup-codes', {
    problem: null,
    ...made,
    next: nextOf(site, req),
  })
  return undefined
}

/** POST `/backup-codes/saved` */
export const backupCodesSaved: Handler<SignedInVisitor> = async ({ site, req, res, visitor }) => {
  await site.sessions.backupCodesSaved(visitor.userId, occasionOf(req))
  const next = nextOf(site, req)
  const { secondStep } = req.session
  if (secondStep?.next !== undefined) {
    const { next: _, ...rest } = secondStep
    req.session.secondStep = rest
    await saveSession(req)
  }
  if (wantsJson(req)) sendJson(res, { backupCodesSaved: true })
  else redirect(res, next)
  return undefined
}
