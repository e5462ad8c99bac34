import type { Request } from 'express'
import { authenticatorsAsked, hasAccepted } from '../../domain/accepted-methods.js'
import {
  askedKeys,
  canResync,
  codeSourceOf,
  hasCodes,
  secondsToNextCode,
} from '../../domain/authenticators.js'
import { freshUntil, renewedVersion, type Stamp } from '../../domain/stamp.js'
import { FACTOR_METHODS, type FactorMethod } from '../../factors/factors.js'
import type { ProofAnswer, ProofAttempt } from '../../service/challenge.js'
import type { PageProblem } from '../../text/pages.js'
import { acceptedWords, type Problem } from '../../text/problem.js'
import { byProof } from '../login/by-proof.js'
import { acceptsBackupCodes } from '../login/code-texts.js'
import { askKeys } from '../request/challenges.js'
import type { Exchange, Handler } from '../request/handler.js'
import { languagesOf, wantsJson } from '../request/negotiation.js'
import { typedIn, typedNext } from '../request/proof-field.js'
import { renewSession } from '../request/replaced-session.js'
import { withoutNext } from '../request/session.js'
import { ownerOf, type SignedInVisitor } from '../request/visitor.js'
import { isUnasked, nextOf } from '../routing/requirements.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'
import { triesBeforeLock } from './tries-before-lock.js'

/** GET `/fresh` */
export const showFresh: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const until = visitor.stamp === null ? null : freshUntil(visitor.stamp)
  const ahead = until !== null && until > site.system.now() ? new Date(until).toISOString() : null
  if (wantsJson(req)) {
    const webauthn = await askKeys(exchange)
    // Clients of users without keys get what they always got.
    sendJson(res, { freshUntil: ahead, ...(webauthn === null ? {} : { webauthn }) })
  } else await freshPage(exchange, null, 200)
  return undefined
}

/** POST `/fresh` */
export const answerFresh: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const outcome = await byProof(exchange, renewingProof(exchange))
  if ('problem' in outcome) return refuseAtFresh(exchange, outcome.problem)

  const stamp = renewedStamp(exchange, outcome.done)
  const next = nextOf(site, req)
  await renewSession(req, stamp, withoutNext(req))
  const until = new Date(freshUntil(stamp) ?? stamp.at).toISOString()
  if (wantsJson(req)) sendJson(res, { status: 'fresh', until, next })
  else redirect(res, next)
  return undefined
}

/** Answers a proof that makes this session fresh. The stamp as it was is over with the same write. */
export function renewingProof({ site, visitor: { stamp } }: Exchange<SignedInVisitor>) {
  return (attempt: ProofAttempt): Promise<ProofAnswer> =>
    stamp === null ? site.challenge.answer(attempt) : site.challenge.renew(attempt, stamp.id)
}

/** The stamp of this session after such a proof. */
export function renewedStamp(
  { site, visitor }: Exchange<SignedInVisitor>,
  done: Extract<ProofAnswer, { kind: 'accepted' }>,
): Stamp {
  const given = site.sessions.stamp(ownerOf(visitor), done, done.method)
  return { ...given, id: visitor.stamp?.id ?? given.id, version: renewedVersion(done) }
}

/** A refused proof: as JSON, or on the page at the form that it was given in. */
export async function refuseAtFresh(
  exchange: Exchange<SignedInVisitor>,
  problem: Problem,
  form: 'code' | 'resync' = 'code',
): Promise<Problem | undefined> {
  // The session was revoked meanwhile.
  if (problem.code === 'sign-in-again') return problem
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    freshPage(exchange, shown, status, form),
  )
  return undefined
}

/** The methods that count on the page that asks for the code. Null: all, or nobody knows. */
function acceptedThere(req: Request): readonly FactorMethod[] | null {
  const kept: unknown = req.session.secondStep?.accepts
  if (!Array.isArray(kept)) return null
  const accepts = FACTOR_METHODS.filter((method) => kept.includes(method))
  return accepts.length === 0 ? null : accepts
}

/** Those that count there. All, where none does: the page still makes the session fresh for other routes. */
function countedThere(
  asked: ReturnType<typeof authenticatorsAsked>,
  accepts: readonly FactorMethod[] | null,
): ReturnType<typeof authenticatorsAsked> {
  if (accepts === null || !hasAccepted(asked, accepts)) return asked
  return { authenticators: asked.authenticators.filter(({ type }) => accepts.includes(type)) }
}

function freshPage(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  problem: PageProblem | null,
  status: number,
  form: 'code' | 'resync' = 'code',
): Promise<void> {
  const { typed, typedBackupCode } = typedIn(req, problem)
  const accepts = acceptedThere(req)
  const asked = countedThere(authenticatorsAsked(visitor), accepts)
  const { t } = site.messages.for(languagesOf(site, req))
  const data = {
    problem,
    triesLeft: triesBeforeLock(site, visitor.record, problem),
    resync: canResync(asked),
    // Everybody else finds it at their next login.
    lost: isUnasked(site, req, visitor) && site.lost?.isOpenTo(visitor) === true,
    action: form === 'resync' ? form : null,
    typed,
    typedBackupCode: form === 'code' && typedBackupCode,
    typedNext: typedNext(req, problem),
    nextCodeIn: secondsToNextCode(asked, site.system.now()),
    source: codeSourceOf(asked),
    app: hasCodes(asked),
    keys: askedKeys(asked, site.webauthn).length > 0,
    backupCode: acceptsBackupCodes(site, visitor) && accepts?.includes('backup-code') !== false,
    accepted: accepts === null ? null : acceptedWords(accepts, t),
  }
  return showPage(site, req, res, 'fresh', data, status)
}
