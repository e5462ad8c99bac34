import type { Request } from 'express'
import { openMailReset } from '../../domain/mail-reset.js'
import type { LostLink } from '../../service/lost-links.js'
import { isNavigation } from './destination.js'
import { saveSession, updateSecondStep } from './session.js'
import type { Site } from './site.js'
import type { PendingVisitor } from './visitor.js'

/** Remembers a link that works, when somebody looks at its page. What only fetches it gets no session. */
export async function rememberOpenedLink(req: Request, { token, reset }: LostLink): Promise<void> {
  if (!isNavigation(req)) return
  const known = req.session.secondStep?.openedLink
  if (known?.userId === token.userId && known.reset === reset.id) return
  updateSecondStep(req, { openedLink: { userId: token.userId, reset: reset.id } })
  await saveSession(req)
}

/** Whether this pending login's user can go on by a link that was opened in this browser. */
export function hasOpenedLink(
  { lost, system }: Pick<Site, 'lost' | 'system'>,
  req: Request,
  { pending, record }: PendingVisitor,
): boolean {
  const opened = req.session.secondStep?.openedLink
  if (lost === null || opened?.userId !== pending.userId) return false
  const now = system.now()
  const open = openMailReset(record, now)
  return open !== null && open.id === opened.reset && open.usableAt <= now
}
