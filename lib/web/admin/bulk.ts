import type { Request } from 'express'
import { malformed, type Problem, type ProblemCode } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import type { Exchange } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { type BulkNotice, leaveAdminNotice } from '../request/session.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { redirect, sendJson, sendProblem } from '../routing/respond.js'
import { userChanges } from './actions.js'
import { type AskedUsers, askAgain, BULK_ACTIONS } from './bulk-page.js'
import { announceRefusal, type Change, freshAdmin } from './change.js'
import { isJson, membersOf } from './fields.js'
import { presentAdmin } from './requirements.js'
import { memberCalled, NO_SUCH_USER, pathOfUsers } from './user.js'

const USERS_AT_MOST = 500
/** In a row. */
const FAILURES_AT_MOST = 3
const FAILED = 'failed'
const FULL = 'full'
const REFUSED_SHOWN = 100

/** The users for whom a change was not made, each with the code that would have been the answer. */
export interface BulkReport {
  /** Ids of the host. */
  readonly done: readonly string[]
  readonly refused: readonly { readonly id: string; readonly code: ProblemCode }[]
}

/** POST `/bulk`. A form with `ask` is asked again first. */
export const bulkChange: Change = {
  answer: async (exchange) => {
    const { site, req, res } = exchange
    const admin = await freshAdmin(exchange)
    if ('code' in admin) return admin
    const asked = askedIn(req)
    if ('code' in asked) return asked
    if (!isJson(req) && membersOf(req)?.ask !== undefined) {
      await askAgain(exchange, asked, null, 200)
      return undefined
    }
    const problem = userChanges[asked.action].inputProblem(req)
    if (problem !== null) return problem
    const report = await reportOf(exchange, asked)
    if (report === null) return undefined
    if (wantsJson(req)) {
      sendJson(res, report)
      return undefined
    }
    const page = pathOfUsers(site)
    await leaveAdminNotice(req, { page, action: asked.action, bulk: shortened(report) })
    redirect(res, page)
    return undefined
  },
  refuse: async (exchange, problem) => {
    const { site, req, res } = exchange
    const asked = askedIn(req)
    if (!('code' in asked)) await announceRefusal(exchange, null, asked.action, problem)
    if (problem.code === 'fresh-code-required') {
      await rememberWayBack(site, req, { page: pathOfUsers(site) })
    }
    if (wantsJson(req) || 'code' in asked || problem.code !== 'malformed-request') return problem
    // The page names users, and a body that can't be read is refused before anybody asks who sent it.
    const admin = await presentAdmin(exchange)
    if ('code' in admin) return admin
    await sendProblem(site, req, res, problem, (shown, status) =>
      askAgain(exchange, asked, shown, status),
    )
    return undefined
  },
}

/** Whom the body names, and what is to be done to them. */
function askedIn(req: Request): AskedUsers | Problem {
  const { ids: given, action: named } = membersOf(req) ?? {}
  const ids = typeof given === 'string' && !isJson(req) ? [given] : given
  const right = Array.isArray(ids) && ids.length > 0 && ids.length <= USERS_AT_MOST
  if (!right || !ids.every((id) => typeof id === 'string' && id !== '')) {
    const nobody = given === undefined && !wantsJson(req)
    return { ...malformed('ids'), ...(nobody ? { text: { key: 'admin.bulk.nobody' } } : {}) }
  }
  const action = BULK_ACTIONS.find((one) => one === named)
  return action === undefined ? malformed('action') : { ids: [...new Set<string>(ids)], action }
}

/**
 * One after another, each as if alone: its checks, its entry in the audit log, its mail. Once the admin has no place for
 * a change, the host is asked for nobody any more.
 *
 * @returns null where the request was given up meanwhile: nobody would see what was done
 */
async function reportOf(
  exchange: Exchange<SignedInVisitor>,
  { ids, action }: AskedUsers,
): Promise<BulkReport | null> {
  const { res } = exchange
  const isAnswered = answeredSince(res)
  const done: string[] = []
  const refused: { id: string; code: ProblemCode }[] = []
  let failures = 0
  let code: Outcome = null
  for (const id of ids) {
    if (isAnswered() || res.closed) return null
    // Otherwise a store that is away would be waited for five hundred times.
    const isTried = code !== FULL && failures < FAILURES_AT_MOST
    if (isTried) code = await codeOf(exchange, id, action)
    failures = code === FAILED ? failures + 1 : 0
    if (code === null) done.push(id)
    else refused.push({ id, code: reported(code) })
  }
  return { done, refused }
}

type Outcome = ProblemCode | typeof FAILED | typeof FULL | null

function reported(outcome: NonNullable<Outcome>): ProblemCode {
  if (outcome === FULL) return 'too-many-attempts'
  return outcome === FAILED ? 'unavailable' : outcome
}

async function codeOf(
  exchange: Exchange<SignedInVisitor>,
  id: string,
  action: AskedUsers['action'],
): Promise<Outcome> {
  const { site } = exchange
  const find = () => memberCalled(site, id)
  try {
    const problem = await userChanges[action].toOne(exchange, find, pathOfUsers(site))
    if (problem === null) return null
    if (problem.forAll) return FULL
    const userId = problem === NO_SUCH_USER ? null : site.recordIdOf(id)
    await announceRefusal(exchange, userId, action, problem)
    return problem.code
  } catch (error) {
    site.failureReporter.report(error)
    return FAILED
  }
}

/** As much of a report as a session holds. */
function shortened({ done, refused }: BulkReport): BulkNotice {
  return { done: done.length, refused: refused.length, some: refused.slice(0, REFUSED_SHOWN) }
}
