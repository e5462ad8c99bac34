import { freshUntil } from '../domain/stamp.js'
import { codeAttempt } from './code-attempt.js'
import { codeField, looksLikeBackupCode } from './code-field.js'
import { wantsJson } from './faces.js'
import type { Exchange, Handler } from './handler.js'
import { nextOf } from './needs.js'
import type { PageProblem } from './pages.js'
import type { Problem } from './problem.js'
import { redirect, sendJson, sendProblem, showPage } from './respond.js'
import { saveSession } from './session.js'
import type { SignedInVisitor } from './visitor.js'

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
  const code = codeField(req)
  if (code === null) return onPage(exchange, { code: 'malformed-request' })
  const answer = await site.challenge.answer(codeAttempt(exchange, code))
  if (answer.kind === 'sign-in-again') return { code: answer.kind }
  if (answer.kind === 'too-many-attempts') {
    return onPage(exchange, { code: answer.kind, retryAfter: answer.retryAfter })
  }
  if (answer.kind !== 'accepted') return onPage(exchange, { code: answer.kind })

  const given = site.sessions.stamp(visitor.userId, answer.epoch, answer.method)
  const stamp = { ...given, id: visitor.stamp?.id ?? given.id }
  const next = nextOf(site, req)
  req.session.secondStep = { verified: stamp }
  await saveSession(req)
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
    backupCode: visitor.policy.backupCodes && visitor.record.backupCodes !== null,
    typedBackupCode: problem !== null && looksLikeBackupCode(req),
  }
  return showPage(site, req, res, 'fresh', data, status)
}
