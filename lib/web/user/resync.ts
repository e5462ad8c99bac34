import { canResync } from '../../domain/authenticators.js'
import { malformed, type Problem } from '../../text/problem.js'
import { byReadProof } from '../login/by-proof.js'
import { accountOfPending } from '../login/finish-login.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveNotice } from '../request/notices.js'
import { resyncIn } from '../request/proof-field.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson } from '../routing/respond.js'
import { refuseAtChallenge, signInBy } from './challenge.js'
import { refuseOnSettings } from './settings.js'

/** POST `/resync`: two consecutive codes bring a device back into step, and are a proof besides. */
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
  const outcome = await byTwoCodes(exchange)
  if ('problem' in outcome) return refuseAtChallenge(exchange, outcome.problem, 'resync')
  const next = await signInBy(exchange, account, outcome.done)
  if (wantsJson(req)) sendJson(res, { status: 'resynchronised' })
  else redirect(res, next)
  return undefined
}

async function resyncInSession(exchange: Exchange<SignedInVisitor>): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  const outcome = await byTwoCodes(exchange)
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, 'resync')
  if (wantsJson(req)) sendJson(res, { status: 'resynchronised' })
  else {
    await leaveNotice(req, 'resynchronised')
    redirect(res, `${site.paths.secondStep}/`)
  }
  return undefined
}

async function byTwoCodes(exchange: Exchange<PendingVisitor | SignedInVisitor>) {
  const { site, req, visitor } = exchange
  const proof = resyncIn(req)
  if (typeof proof === 'string') {
    return { problem: { ...malformed(proof), text: { key: 'resync.malformed' } } } as const
  }
  if (!canResync(visitor.record)) {
    return { problem: { code: 'not-enrolled', text: { key: 'resync.none' } } } as const
  }
  return byReadProof(exchange, proof, (attempt) => site.challenge.answer(attempt))
}
