import type { Request } from 'express'
import { malformed, type Problem, type ProblemCode } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import type { Exchange } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { type BulkNotice, leaveAdminNotice, leaveLateAdminNotice } from '../request/session.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { redirect, sendJson, sendProblem } from '../routing/respond.js'
import { userChanges } from './actions.js'
import { type AskedUsers, askAgain, BULK_ACTIONS } from './bulk-page.js'
import { announceRefusal, type Change, freshAdmin } from './change.js'
import { isJson, membersOf } from './fields.js'
import { presentAdmin, wholeAdminOrProblem } from './requirements.js'
import { memberCalled, NO_SUCH_USER, pathOfUsers } from './user.js'

const USERS_AT_MOST = 500
/** In a row. */
const FAILURES_AT_MOST = 3
const FAILED = 'failed'
const FULL = 'full'
/** As many as a page of users has, and a session holds. */
const KEPT_AT_MOST = 100

/** The users for whom a change was not made, each with the code that would have been the answer. */
interface BulkReport {
  /** Ids of the host. */
  readonly done: readonly string[]
  readonly refused: readonly { readonly id: string; readonly code: ProblemCode }[]
  /** With whom it was not begun, because the client has left. */
  readonly left: readonly string[]
}

/** POST `/bulk`. A form with `ask` is asked again first. */
export const bulkChange: Change = {
  answer: async (exchange) => {
    const { site, req, res } = exchange
    const admin = await freshAdmin(exchange)
    if ('code' in admin) return admin
    const refusal = wholeAdminOrProblem(admin)
    if (refusal !== null) return refusal
    const asked = askedIn(req)
    if ('code' in asked) return asked
    if (!isJson(req) && membersOf(req)?.ask !== undefined) {
      await askAgain(exchange, asked, null, 200)
      return undefined
    }
    const problem = userChanges[asked.action].inputProblem(site, req)
    if (problem !== null) return problem
    const report = await reportOf(exchange, asked)
    if (report === null) return undefined
    if (wantsJson(req)) {
      const { done, refused } = report
      sendJson(res, { done, refused })
      return undefined
    }
    const page = pathOfUsers(site)
    const bulk = shortened(report, site.system.now())
    const notice = { page, action: asked.action, bulk }
    if (bulk.left) {
      // Where the session has ended, the events tell it.
      await leaveLateAdminNotice(req, notice).catch(() => undefined)
      return undefined
    }
    await leaveAdminNotice(req, notice)
    redirect(res, page)
    return undefined
  },
  refuse: async (exchange, problem) => {
    const { site, req, res } = exchange
    const asked = askedIn(req)
    if (!('code' in asked)) await announceRefusal(exchange, null, asked.action, problem)
    if (problem.code === 'fresh-code-required') {
      const page = pathOfUsers(site)
      if (!('code' in asked) && !wantsJson(req) && asked.ids.length <= KEPT_AT_MOST) {
        await leaveAdminNotice(req, { page, action: asked.action, picked: asked.ids })
      }
      await rememberWayBack(site, req, { page })
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
 * @returns null where the host has answered meanwhile: nobody would see what was done
 */
async function reportOf(
  exchange: Exchange<SignedInVisitor>,
  { ids, action }: AskedUsers,
): Promise<BulkReport | null> {
  const { site, res } = exchange
  const isAnswered = answeredSince(res)
  const done: string[] = []
  const refused: { id: string; code: ProblemCode }[] = []
  let [failures, failedFor] = [0, 0]
  let code: Outcome = null
  for (const [index, id] of ids.entries()) {
    if (isAnswered()) return null
    if (res.closed) return { done, refused, left: ids.slice(index) }
    // Otherwise a store that is away would be waited for five hundred times, or every second time.
    const isTried = code !== FULL && failures < FAILURES_AT_MOST && failedFor < site.timeout / 2
    const began = site.system.now()
    if (isTried) code = await codeOf(exchange, id, action)
    failures = code === FAILED ? failures + 1 : 0
    if (code === FAILED) failedFor += Math.max(0, site.system.now() - began)
    if (code === null) done.push(id)
    else refused.push({ id, code: reported(code) })
  }
  return { done, refused, left: [] }
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
function shortened({ done, refused, left }: BulkReport, at: number): BulkNotice {
  const all = [...refused, ...left.map((id) => ({ id, code: 'not-begun' }))]
  const some = all.slice(0, KEPT_AT_MOST)
  return { at, left: left.length > 0, done: done.length, refused: all.length, some }
}
