import { readAddress } from '../../domain/address.js'
import type { UserContext } from '../../domain/standing.js'
import { HOUR_MS, MINUTE_MS } from '../../domain/units.js'
import { malformed } from '../../text/problem.js'
import { askAgain } from '../login/pending-in-place.js'
import { fieldOf } from '../request/body.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveNotice } from '../request/notices.js'
import { requestInfoOf } from '../request/request-info.js'
import type { Services, Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'
import { allowanceOf, rememberLostAsk } from './lost-asks.js'

/** GET `/lost` */
export const showLost: Handler<PendingVisitor | SignedInVisitor> = async ({
  site,
  req,
  res,
  visitor,
}) => {
  if (isClosed(site, visitor)) return { code: 'switched-off' }
  if (wantsJson(req)) {
    sendJson(res, { status: 'ready' })
    return undefined
  }
  const sent = req.query.sent !== undefined
  const asked = sent && visitor.kind === 'pending' ? allowanceOf(req, visitor.pending) : null
  const data = {
    problem: null,
    sent,
    heldBack: asked?.heldBack === true,
    nextAt: asked === null ? null : momentAhead(asked.nextAt, site.system.now()),
    ...alwaysShown(site, visitor),
  }
  await showPage(site, req, res, 'lost', data)
  return undefined
}

/** As pages show it: whole minutes, rounded up. Null if it is over. */
function momentAhead(at: number, now: number): Date | null {
  return at <= now ? null : new Date(Math.ceil(at / MINUTE_MS) * MINUTE_MS)
}

/** POST `/lost` */
export const askLost: Handler<PendingVisitor | SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const { lost } = site
  if (lost === null || isClosed(site, visitor)) return { code: 'switched-off' }
  const address = readAddress(fieldOf(req, 'email'))
  if (address === null) return refuse(exchange)

  // The link works in a login that waits for the code.
  const asker = visitor.kind === 'pending' ? visitor : await askAgain(site, req, visitor)
  const { pending, policy, subject } = asker
  const request = { pending, policy, subject, address, requestInfo: requestInfoOf(req) }
  const mark = await lost.markOf(address, pending)
  await rememberLostAsk(req, pending, { address: mark, at: site.system.now() })
  // After the answer is sent: its time must not reveal whether the address is right (promise 4).
  res.once('close', () => lost.ask(request))
  if (wantsJson(req)) sendJson(res, { status: 'accepted' }, 202)
  else redirect(res, `${site.paths.secondStep}/lost?sent=1`)
  return undefined
}

/** Nobody is reset by mail, or nobody whom this user's rules bind. */
function isClosed({ lost }: Services, visitor: UserContext): boolean {
  return lost?.isOpenTo(visitor) !== true
}

/** Whole hours that a reset by mail waits, and the way back to where the link was. */
function alwaysShown({ lost, paths }: Site, { kind }: PendingVisitor | SignedInVisitor) {
  const page = kind === 'pending' ? 'challenge' : 'fresh'
  const waitHours = Math.round((lost?.delay ?? 0) / HOUR_MS)
  return { waitHours, back: `${paths.secondStep}/${page}` }
}

/** The page says if the input is not an address, but never whether it is the right one. */
async function refuse(exchange: Exchange<PendingVisitor | SignedInVisitor>): Promise<undefined> {
  const { site, req, res, visitor } = exchange
  const shown = { sent: false, ...alwaysShown(site, visitor) }
  await sendProblem(site, req, res, malformed('email'), (problem, status) =>
    showPage(site, req, res, 'lost', { problem, ...shown }, status),
  )
}

/** POST `/lost/cancel` */
export const cancelLost: Handler<PendingVisitor | SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (site.lost === null) return { code: 'switched-off' }
  const answer = await site.lost.cancel(visitor, requestInfoOf(req))
  if (answer !== 'cancelled') return { code: answer }
  const { secondStep } = site.paths
  if (wantsJson(req)) {
    sendJson(res, { status: 'cancelled' })
    return undefined
  }
  await leaveNotice(req, 'reset-cancelled')
  redirect(res, visitor.kind === 'pending' ? `${secondStep}/challenge` : `${secondStep}/`)
  return undefined
}
