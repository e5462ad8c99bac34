import type { Request } from 'express'
import { openMailReset, worksFrom } from '../../domain/mail-reset.js'
import { isKeyGone } from '../../factors/key-status.js'
import type { LostLink } from '../../service/lost-links.js'
import { isNavigation } from './destination.js'
import { saveSession, updateSecondStep } from './session.js'
import type { Site } from './site.js'
import type { PendingVisitor } from './visitor.js'

/** Remembers a working link when a visitor opens its page. A mere fetch gets no session. */
export async function rememberOpenedLink(req: Request, { token, reset }: LostLink): Promise<void> {
  if (!isNavigation(req)) return
  const known = req.session.secondStep?.openedLink
  if (known?.userId === token.userId && known.reset === reset.id) return
  updateSecondStep(req, { openedLink: { userId: token.userId, reset: reset.id } })
  await saveSession(req)
}

/** Whether a link that was opened in this browser works for this pending login's user. */
export function hasOpenedLink(
  { lost, system, keyIds }: Pick<Site, 'lost' | 'system' | 'keyIds'>,
  req: Request,
  visitor: PendingVisitor,
): boolean {
  const { pending, record } = visitor
  const opened = req.session.secondStep?.openedLink
  if (lost?.isOpenTo(visitor) !== true || opened?.userId !== pending.userId) return false
  const now = system.now()
  const open = openMailReset(record, now)
  if (open === null || isKeyGone(open.keyId, keyIds)) return false
  return open.id === opened.reset && worksFrom(open) <= now
}
