import { ruleFor } from '../../domain/policy.js'
import { byProof } from '../login/by-proof.js'
import { enter } from '../login/enter.js'
import type { Handler } from '../request/handler.js'
import { keepsHostsKeys } from '../request/kept-keys.js'
import { wantsJson } from '../request/negotiation.js'
import { removeUser } from '../request/passport.js'
import { replaceSession } from '../request/replaced-session.js'
import { ownerOf, type SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson } from '../routing/respond.js'
import { refuseOnSettings } from './settings.js'

/** POST `/reset` */
export const reset: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const outcome = await byProof(exchange, (attempt) => site.reset.reset(attempt))
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, 'reset')
  // The epoch was raised for every session; this one need not wait for its next request.
  removeUser(req)
  await replaceSession(req, () => undefined)
  if (wantsJson(req)) sendJson(res, { status: 'reset' })
  else redirect(res, signInAfterReset(site.paths.signIn))
  return undefined
}

/** The host's sign-in page can say that the reset is done, because nobody is signed in any more. */
function signInAfterReset(signIn: string): string {
  const [path = '', fragment] = signIn.split('#', 2)
  const query = path.includes('?') ? '&' : '?'
  return `${path}${query}secondStep=reset${fragment === undefined ? '' : `#${fragment}`}`
}

/** POST `/disable` */
export const disable: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const { account } = visitor
  // The body may have arrived late, and the rule may have changed since the guard checked.
  const { policy, subject } = await site.sessions.userContext(account.id, visitor.subject)
  if (ruleFor(policy, subject).mode === 'required') {
    return refuseOnSettings(exchange, { code: 'required-by-policy' }, 'disable')
  }
  const present = { ...visitor, policy, subject }
  const outcome = await byProof({ site, req, visitor: present }, (attempt) =>
    site.reset.disable(attempt),
  )
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, 'disable')
  await enter(site, req, {
    account,
    stamp: site.sessions.stamp(ownerOf(visitor), outcome.done, 'none'),
    userContext: visitor,
    keeps: keepsHostsKeys(site, req),
    notice: wantsJson(req) ? undefined : 'disabled',
  })
  if (wantsJson(req)) sendJson(res, { status: 'disabled' })
  else redirect(res, `${site.paths.secondStep}/`)
  return undefined
}
