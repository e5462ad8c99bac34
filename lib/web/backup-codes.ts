import { wantsJson } from './faces.js'
import type { Handler } from './handler.js'
import { nextOf } from './needs.js'
import { occasionOf } from './occasion.js'
import { redirect, sendJson } from './respond.js'
import { saveSession } from './session.js'
import type { SignedInVisitor } from './visitor.js'

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
