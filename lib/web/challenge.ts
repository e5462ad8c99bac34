import { pendingExpiresAt } from '../domain/pending-login.js'
import { codeAttempt } from './code-attempt.js'
import { codeField, looksLikeBackupCode } from './code-field.js'
import { wantsJson } from './faces.js'
import { finishLogin, userOfPending } from './finish-login.js'
import type { Exchange, Handler } from './handler.js'
import type { PageProblem } from './pages.js'
import type { Problem } from './problem.js'
import { redirect, sendJson, sendProblem, showPage } from './respond.js'
import type { PendingVisitor } from './visitor.js'

/** GET `/challenge` */
export const showChallenge: Handler<PendingVisitor> = async (exchange) => {
  const { req, res, visitor } = exchange
  if (!wantsJson(req)) {
    await challengePage(exchange, null, 200)
    return undefined
  }
  sendJson(res, {
    methods: acceptsBackupCodes(visitor) ? ['totp', 'backup-code'] : ['totp'],
    trustOffered: false,
    lostOffered: false,
    resetPending: null,
    expiresAt: new Date(pendingExpiresAt(visitor.pending)).toISOString(),
  })
  return undefined
}

/** POST `/challenge` */
export const answerChallenge: Handler<PendingVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const code = codeField(req)
  if (code === null) return onPage(exchange, { code: 'malformed-request' })
  // Before the code: a user store that is away must not cost a backup code.
  const user = await userOfPending(site, req, visitor)
  if (user === undefined) return { code: 'sign-in-again' }

  const answer = await site.challenge.answer(codeAttempt(exchange, code))
  if (answer.kind === 'not-enrolled' || answer.kind === 'sign-in-again') {
    return { code: 'sign-in-again' }
  }
  if (answer.kind === 'too-many-attempts') {
    return onPage(exchange, { code: answer.kind, retryAfter: answer.retryAfter })
  }
  if (answer.kind !== 'accepted') return onPage(exchange, { code: answer.kind })

  const { method, epoch, backupCodesLeft } = answer
  const next = await finishLogin(site, req, visitor, { user, method, epoch })
  if (wantsJson(req)) sendJson(res, { status: 'signed-in', method, backupCodesLeft, next })
  else redirect(res, next)
  return undefined
}

async function onPage(
  exchange: Exchange<PendingVisitor>,
  problem: Problem,
): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  await sendProblem(site, req, res, problem, (shown, status) =>
    challengePage(exchange, shown, status),
  )
  return undefined
}

function challengePage(
  { site, req, res, visitor }: Exchange<PendingVisitor>,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const data = {
    problem,
    backupCode: acceptsBackupCodes(visitor),
    typedBackupCode: problem !== null && looksLikeBackupCode(req),
    lost: false,
    trust: false,
  }
  return showPage(site, req, res, 'challenge', data, status)
}

function acceptsBackupCodes({ record, policy }: PendingVisitor): boolean {
  return policy.backupCodes && record.backupCodes !== null
}
