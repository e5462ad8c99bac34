import { canResync } from '../../domain/authenticators.js'
import type { ProofAnswer, ProofAttempt } from '../../service/challenge.js'
import { malformed, type Problem } from '../../text/problem.js'
import { type ByProof, byReadProof } from '../login/by-proof.js'
import { accountOfPending } from '../login/finish-login.js'
import { fieldOf } from '../request/body.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { resyncIn } from '../request/proof-field.js'
import { renewSession } from '../request/replaced-session.js'
import { withoutNext } from '../request/session.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { nextOf } from '../routing/requirements.js'
import { redirect, sendJson } from '../routing/respond.js'
import { refuseAtChallenge, signInBy } from './challenge.js'
import { refuseAtFresh, renewedStamp, renewingProof } from './fresh.js'
import { refuseOnSettings } from './settings.js'

/**
 * POST `/resync`: two consecutive codes bring a device back into step, and are a proof besides: as hard to guess as
 * one code, so a session is fresh after them.
 */
export const resync: Handler<PendingVisitor | SignedInVisitor> = (exchange) => {
  const { visitor } = exchange
  return visitor.kind === 'pending'
    ? resyncAtLogin({ ...exchange, visitor })
    : resyncInSession({ ...exchange, visitor })
}

async function resyncAtLogin(exchange: Exchange<PendingVisitor>): Promise<Problem | undefined> {
  const { site, req, res, visitor } = exchange
  // Before the codes are checked, as at the challenge.
  const account = await accountOfPending(site, req, visitor)
  if (account === undefined) return { code: 'sign-in-again' }
  const outcome = await byTwoCodes(exchange, (attempt) => site.challenge.answer(attempt))
  if ('problem' in outcome) return refuseAtChallenge(exchange, outcome.problem, 'resync')
  const next = await signInBy(exchange, account, outcome.done)
  if (wantsJson(req)) sendJson(res, { status: 'resynchronised' })
  else redirect(res, next)
  return undefined
}

async function resyncInSession(exchange: Exchange<SignedInVisitor>): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  const atFresh = fieldOf(req, 'from') === 'fresh'
  const outcome = await byTwoCodes(exchange, renewingProof(exchange))
  if ('problem' in outcome) {
    return atFresh
      ? refuseAtFresh(exchange, outcome.problem, 'resync')
      : refuseOnSettings(exchange, outcome.problem, 'resync')
  }
  const stamp = renewedStamp(exchange, outcome.done)
  const next = nextOf(site, req)
  if (wantsJson(req)) {
    await renewSession(req, stamp)
    sendJson(res, { status: 'resynchronised' })
  } else if (atFresh) {
    await renewSession(req, stamp, withoutNext(req))
    redirect(res, next)
  } else {
    await renewSession(req, stamp, { ...req.session.secondStep, notice: 'resynchronised' })
    redirect(res, `${site.paths.secondStep}/`)
  }
  return undefined
}

async function byTwoCodes(
  exchange: Exchange<PendingVisitor | SignedInVisitor>,
  act: (attempt: ProofAttempt) => Promise<ProofAnswer>,
): Promise<ByProof<undefined>> {
  const { req, visitor } = exchange
  const proof = resyncIn(req)
  if (typeof proof === 'string') {
    return { problem: { ...malformed(proof), text: { key: 'resync.malformed' } } }
  }
  if (!canResync(visitor.record)) {
    return { problem: { code: 'not-enrolled', text: { key: 'resync.none' } } }
  }
  return byReadProof(exchange, proof, act)
}
