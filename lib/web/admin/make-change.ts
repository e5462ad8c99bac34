import type { Request } from 'express'
import type { UserAction } from '../../domain/admin-actions.js'
import type { AdminVerdict } from '../../domain/administration.js'
import { countingEverywhere } from '../../domain/rules-of-user.js'
import type { AdminAnswer, AdminChange } from '../../service/admin-changes.js'
import type { Member } from '../../service/member.js'
import { isOdd } from '../../service/odd-user.js'
import type { CodesKind } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { Exchange } from '../request/handler.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { adminRequestInfo, freshAdmin, limitProblem } from './change.js'
import { answerReload, type MadeCodes } from './codes.js'
import { malformedField, reasonProblem } from './fields.js'
import { oddUserProblem } from './odd-users.js'
import { strongerProof } from './stronger-proof.js'
import { type memberOf, NO_SUCH_USER, pathOfUser } from './user.js'

export type Done<Result> = Extract<AdminAnswer<Result>, { kind: 'done' }>

/** An action: what it reads, does and answers. */
export interface Doing<Input, Result> {
  /** Returns undefined for malformed input. */
  readonly read: (req: Request) => Input | undefined
  /** The field that it reads. Default: none, so no input can be malformed. */
  readonly field?: string
  /** What is wrong with malformed input, where it has several fields. Default: `field`. */
  readonly wrong?: (req: Request) => Problem
  readonly run: (
    on: Pick<Site, 'administration' | 'assignedTokens' | 'mails'>,
    change: AdminChange,
    input: Input,
  ) => Promise<AdminAnswer<Result>>
  /** What was done, or the user's present state: a paused user may also be locked. */
  readonly json: (done: Done<Result>) => object
  /** Whether what was read is accepted with a warning on the page. Default: never. */
  readonly isWeak?: (input: Input) => boolean
  /** The codes that the page shows once. Default: none; the answer is the user's page. */
  readonly codes?: { readonly action: CodesKind; readonly of: (result: Result) => MadeCodes }
}

export type FindMember = () => ReturnType<typeof memberOf>

/** What a change was made of. */
interface Made<Input, Result> {
  readonly member: Member<Express.User>
  readonly input: Input
  readonly done: Done<Result>
}

/**
 * Checks in this order: the admin, the target user, the input, the rate limit.
 *
 * @param page where an admin is led back to who needs another proof. Default: the user's page
 * @returns null where the answer is already given: to a reload of a page with codes
 */
export async function makeChange<Input, Result>(
  exchange: Exchange<SignedInVisitor>,
  action: UserAction,
  doing: Doing<Input, Result>,
  { find, page }: { readonly find: FindMember; readonly page?: string },
): Promise<Made<Input, Result> | Problem | null> {
  const { site, req } = exchange
  const admin = await freshAdmin(exchange)
  if ('code' in admin) return admin
  const member = await find()
  if (member === null) return NO_SUCH_USER
  if (isOdd(member)) return oddUserProblem(member)
  if (!(await mayChange(exchange, admin, member, action))) return { code: 'forbidden' }
  const read = readInput(site, req, doing)
  if ('problem' in read) return read.problem
  const { input } = read
  if (doing.codes !== undefined && (await answerReload(exchange, member, doing.codes.action))) {
    return null
  }
  const tooMany = await limitProblem(exchange)
  if (tooMany !== null) return tooMany

  const { id: userId, subject } = member.account
  const place = await site.adminLimits.takeForSame(admin.account.id, userId, action)
  if (place.kind !== 'taken') return { code: place.kind, retryAfter: place.retryAfter }
  const byAdmin = { action, method: admin.stamp?.method ?? 'none' }
  const change = { userId, subject, requestInfo: adminRequestInfo(exchange), byAdmin }
  const done = await doing.run(site, change, input).catch((error: unknown) => {
    void place.giveBack('all')
    throw error
  })
  if (done.kind !== 'done' || !done.changed) void place.giveBack('all')
  if (done.kind === 'stronger-factor-required') {
    return 'accepts' in done
      ? strongerProof(exchange, admin, done.accepts, page ?? pathOfUser(site, member.hostId))
      : notAccepted(site, member)
  }
  return done.kind === 'done' ? { member, input, done } : refusalOf(done.kind)
}

export function readInput<Input>(
  site: Pick<Site, 'demandReason'>,
  req: Request,
  doing: Pick<Doing<Input, never>, 'read' | 'wrong' | 'field'>,
): { readonly input: Input } | { readonly problem: Problem } {
  const input = doing.read(req)
  if (input === undefined) {
    return { problem: doing.wrong?.(req) ?? malformedField(req, doing.field ?? null) }
  }
  const problem = reasonProblem(site, req)
  return problem === null ? { input } : { problem }
}

/** What counts for the user, and the page with what else an admin can do for them. */
function notAccepted(site: Site, member: Member<Express.User>): Problem {
  const accepts = countingEverywhere(member, site.mountedRules.rules)
  const next = pathOfUser(site, member.hostId)
  return { code: 'stronger-factor-required', accepts, next, text: { key: 'admin.not-accepted' } }
}

function refusalOf(kind: Exclude<AdminVerdict, 'done' | 'stronger-factor-required'>): Problem {
  if (kind === 'serial-in-use') {
    return { ...malformed('serial'), text: { key: 'admin.token.serial-in-use' } }
  }
  if (kind === 'seed-in-use') {
    return { ...malformed('secret'), text: { key: 'admin.token.seed-in-use' } }
  }
  if (kind === 'no-room') {
    return { code: 'already-enrolled', text: { key: 'admin.token.no-room' } }
  }
  return { code: kind }
}

/** Admins cannot change their own second step here (breeze #2696), whatever the host permits. */
async function mayChange(
  { site }: Exchange,
  admin: SignedInVisitor,
  { account }: Member<Express.User>,
  action: UserAction,
): Promise<boolean> {
  return account.id !== admin.account.id && site.canAdminister(admin.account, account, action)
}
