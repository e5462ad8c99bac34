import { codeSourceOf, secondsToNextCode } from '../../domain/authenticators.js'
import { freshUntil, renewedVersion } from '../../domain/stamp.js'
import type { PageProblem } from '../../text/pages.js'
import type { Problem } from '../../text/problem.js'
import { byProof } from '../login/by-proof.js'
import { acceptsBackupCodes } from '../login/code-texts.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { typedIn } from '../request/proof-field.js'
import { renewSession } from '../request/replaced-session.js'
import { ownerOf, type SignedInVisitor } from '../request/visitor.js'
import { nextOf } from '../routing/requirements.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'

/** GET `/fresh` */
export const showFresh: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const until = visitor.stamp === null ? null : freshUntil(visitor.stamp)
  const ahead = until !== null && until > site.system.now() ? new Date(until).toISOString() : null
  if (wantsJson(req)) sendJson(res, { freshUntil: ahead })
  else await freshPage(exchange, null, 200)
  return undefined
}

/** POST `/fresh` */
export const answerFresh: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const { stamp: before } = visitor
  const outcome = await byProof(exchange, (attempt) =>
    before === null ? site.challenge.answer(attempt) : site.challenge.renew(attempt, before.id),
  )
  if ('problem' in outcome) {
    const { problem } = outcome
    return problem.code === 'sign-in-again' ? problem : onPage(exchange, problem)
  }

  const given = site.sessions.stamp(ownerOf(visitor), outcome.done, outcome.done.method)
  const renewed = { id: before?.id ?? given.id, version: renewedVersion(outcome.done) }
  const stamp = { ...given, ...renewed }
  const next = nextOf(site, req)
  await renewSession(req, stamp)
  const until = new Date(freshUntil(stamp) ?? stamp.at).toISOString()
  if (wantsJson(req)) sendJson(res, { status: 'fresh', until, next })
  else redirect(res, next)
  return undefined
}

async function onPage(
  exchange: Exchange<SignedInVisitor>,
  problem: Problem,
): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) => freshPage(exchange, shown, status))
  return undefined
}

function freshPage(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const data = {
    problem,
    nextCodeIn: secondsToNextCode(visitor.record, site.system.now()),
    source: codeSourceOf(visitor.record),
    backupCode: acceptsBackupCodes(site, visitor),
    ...typedIn(req, problem),
  }
  return showPage(site, req, res, 'fresh', data, status)
}
