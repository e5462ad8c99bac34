import type { Request } from 'express'
import type { Notice } from '../../text/pages.js'
import { saveSession, updateSecondStep } from './session.js'

/** Has the page where the visitor lands say what has just been done. */
export async function leaveNotice(req: Request, notice: Notice): Promise<void> {
  updateSecondStep(req, { notice })
  await saveSession(req)
}

/** What that page is to say, once; null for nothing. */
export async function takeNotice(req: Request): Promise<Notice | null> {
  const { notice, ...rest } = req.session.secondStep ?? {}
  if (notice === undefined) return null
  req.session.secondStep = rest
  await saveSession(req)
  return notice
}
