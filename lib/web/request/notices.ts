import type { Request } from 'express'
import type { Notice } from '../../text/pages.js'
import { saveSession, updateSecondStep } from './session.js'

/** Leaves a notice of what was just done for the page that the visitor sees next. */
export async function leaveNotice(req: Request, notice: Notice): Promise<void> {
  updateSecondStep(req, { notice })
  await saveSession(req)
}

/** Takes the notice that this page shows once, or null. */
export async function takeNotice(req: Request): Promise<Notice | null> {
  const { notice, ...rest } = req.session.secondStep ?? {}
  if (notice === undefined) return null
  req.session.secondStep = rest
  await saveSession(req)
  return notice
}
