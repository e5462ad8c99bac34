import type { Request } from 'express'
import type { UserAction } from '../../domain/admin-actions.js'
import type { AdminVerdict } from '../../domain/administration.js'
import type { Policy } from '../../domain/policy.js'
import { countingEverywhere } from '../../domain/rules-of-user.js'
import { type HardwareToken, hasWeakSeed } from '../../factors/hardware-token.js'
import type { AdminAnswer, AdminChange } from '../../service/admin-changes.js'
import type { Member } from '../../service/member.js'
import { isOdd } from '../../service/odd-user.js'
import type { CodesKind } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { iso, shownUntil } from '../../text/shown-user.js'
import { fieldOf } from '../request/body.js'
import type { Exchange } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveAdminNotice } from '../request/session.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { redirect, sendJson, sendProblem } from '../routing/respond.js'
import {
  adminRequestInfo,
  announceRefusal,
  type Change,
  freshAdmin,
  limitProblem,
} from './change.js'
import { answerReload, type MadeCodes, showCodes } from './codes.js'
import { daysOf, malformedField, reasonOf } from './fields.js'
import { oddUserProblem } from './odd-users.js'
import { directoryOf, presentAdmin } from './requirements.js'
import { strongerProof } from './stronger-proof.js'
import { tokenIn } from './token-fields.js'
import { authenticatorIn, memberOf, NO_SUCH_USER, pathOfUser, userPage } from './user.js'

type Done<Result> = Extract<AdminAnswer<Result>, { kind: 'done' }>

/** An action: what it reads, does and answers. */
interface Doing<Input, Result> {
  /** Returns undefined for malformed input. */
  readonly read: (req: Request) => Input | undefined
  /** The field that it reads. Default: none, so no input can be malformed. */
  readonly field?: string
  /** What is wrong with malformed input, where it has several fields. Default: `field`. */
  readonly wrong?: (req: Request) => Problem
  readonly run: (
    on: Pick<Site, 'administration' | 'assignedTokens'>,
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

const nothing = () => null
const stateAlone = ({ state }: Done<unknown>) => ({ state })

/** POST `/users/:id/<action>`: what each of the table of actions reads, does and answers. */
export const userChanges: Readonly<Record<UserAction, Change>> = {
  resume: userChange('resume', {
    read: nothing,
    run: (on, change) => on.administration.resume(change),
    json: stateAlone,
  }),
  unlock: userChange('unlock', {
    read: nothing,
    run: (on, change) => on.administration.unlock(change),
    json: stateAlone,
  }),
  'one-time-code': userChange('one-time-code', {
    read: nothing,
    run: (on, change) => on.administration.makeOneTimeCode(change),
    json: ({ result: { code, expiresAt } }) => ({ code, expiresAt: iso(expiresAt) }),
    codes: {
      action: 'one-time-code',
      of: ({ code, expiresAt }) => ({ codes: [code], until: iso(expiresAt) }),
    },
  }),
  'backup-codes': userChange('backup-codes', {
    read: nothing,
    run: (on, change) => on.administration.makeBackupCodes(change),
    json: ({ result }) => ({ backupCodes: result }),
    codes: { action: 'backup-codes', of: (codes) => ({ codes, until: null }) },
  }),
  token: userChange('token', {
    read: (req) => {
      const token = tokenIn(req)
      return 'code' in token ? undefined : token
    },
    wrong: (req) => {
      const token = tokenIn(req)
      return 'code' in token ? token : malformed(null)
    },
    run: async (on, change, token) => {
      const done = await on.assignedTokens.assign(change, token)
      if (done.kind === 'done' && done.changed && hasWeakSeed(token)) warnOfSeed(token)
      return done
    },
    json: stateAlone,
    isWeak: hasWeakSeed,
  }),
  'remove-authenticator': userChange('remove-authenticator', {
    read: authenticatorIn,
    run: (on, change, id) => on.administration.removeAuthenticator(change, id),
    json: stateAlone,
  }),
  pause: userChange('pause', {
    read: daysOf,
    field: 'days',
    run: (on, change, days) => on.administration.pause(change, days),
    json: ({ result }) => ({ state: 'paused', pausedUntil: shownUntil(result.pausedUntil) }),
  }),
  reset: userChange('reset', {
    read: nothing,
    run: (on, change) => on.administration.reset(change),
    json: () => ({ state: 'must-set-up' }),
  }),
  disable: userChange('disable', {
    read: nothing,
    run: (on, change) => on.administration.disable(change),
    json: () => ({ state: 'off' }),
  }),
  'end-sessions': userChange('end-sessions', {
    read: nothing,
    run: (on, change) => on.administration.endSessions(change),
    json: () => ({ status: 'ended' }),
  }),
  note: userChange('note', {
    // Here it is the note itself, and must be given.
    read: (req) => reasonOf(req) ?? undefined,
    field: 'reason',
    run: (on, change) => on.administration.note(change),
    json: stateAlone,
  }),
}

/** Checks in this order: the admin, the target user, the input, the rate limit. */
function userChange<Input, Result>(action: UserAction, doing: Doing<Input, Result>): Change {
  const answer = async (exchange: Exchange<SignedInVisitor>) => {
    const { site, req } = exchange
    const admin = await freshAdmin(exchange)
    if ('code' in admin) return admin
    const member = await memberOf(site, req)
    if (member === null) return NO_SUCH_USER
    if (isOdd(member)) return oddUserProblem(member)
    if (!(await mayChange(exchange, admin, member, action))) return { code: 'forbidden' } as const
    const input = doing.read(req)
    if (input === undefined) {
      return doing.wrong?.(req) ?? malformedField(req, doing.field ?? null)
    }
    if (reasonOf(req) === undefined) return malformedField(req, 'reason')
    const { codes } = doing
    if (codes !== undefined && (await answerReload(exchange, member, codes.action))) {
      return undefined
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
        ? strongerProof(exchange, admin, done.accepts, pathOfUser(site, member.hostId))
        : notAccepted(site, member)
    }
    if (done.kind !== 'done') return refusalOf(done.kind)
    const weak = doing.isWeak?.(input) === true
    await sendDone(exchange, member, { action, weak }, done, doing)
    return undefined
  }
  return { answer, refuse: (exchange, problem) => refuse(exchange, problem, action) }
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

function warnOfSeed({ serial, secret }: HardwareToken): void {
  process.emitWarning(
    `passport-second-step: the hardware token ${serial} was assigned with a seed of ${8 * secret.length} bits; 160 are recommended (RFC 4226)`,
    { code: 'PASSPORT_SECOND_STEP_WEAK_SEED' },
  )
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

async function sendDone<Result>(
  exchange: Exchange<SignedInVisitor>,
  member: Member<Express.User>,
  { action, weak }: { readonly action: UserAction; readonly weak: boolean },
  done: Done<Result>,
  { json, codes }: Pick<Doing<unknown, Result>, 'json' | 'codes'>,
): Promise<void> {
  const { site, req, res } = exchange
  if (wantsJson(req)) return sendJson(res, json(done))
  if (codes !== undefined) {
    return showCodes(exchange, member, codes.action, codes.of(done.result))
  }
  const back = pathOfUser(site, member.hostId)
  await leaveAdminNotice(req, { page: back, action, ...(weak ? { weak } : {}) })
  redirect(res, back)
}

/**
 * Writes a refused change to the audit log, and shows the problem on the user's page at its form.
 */
async function refuse(
  exchange: Exchange<SignedInVisitor>,
  problem: Problem,
  action: UserAction,
): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  const member = problem === NO_SUCH_USER ? null : await memberOf(site, req)
  const odd = member !== null && isOdd(member)
  await announceRefusal(exchange, (odd ? member : member?.account)?.id ?? null, action, problem)
  if (member === null || odd) return problem
  if (problem.code === 'fresh-code-required') {
    await rememberWayBack(site, req, { page: pathOfUser(site, member.hostId) })
  }
  const admin = await presentAdmin(exchange)
  if (wantsJson(req) || 'code' in admin) return problem
  const told = await withHolder(exchange, admin.policy, problem)
  await sendProblem(site, req, res, told, (shown, status) =>
    userPage({ ...exchange, visitor: admin }, member, { action, problem: shown }, status),
  )
  return undefined
}

/** On the page, a serial number that is in use says whose it is: whoever sees it may see every user. */
async function withHolder(
  { site, req }: Exchange,
  policy: Policy,
  problem: Problem,
): Promise<Problem> {
  if (problem.text?.key !== 'admin.token.serial-in-use') return problem
  const serial = fieldOf(req, 'serial')?.trim() ?? ''
  const holder = await directoryOf(site).findBySerial(serial, policy)
  if (holder === null || isOdd(holder) || holder.unreadable !== undefined) return problem
  const { name, email } = holder.account
  const user = name ?? email ?? holder.hostId
  return { ...problem, text: { key: 'admin.token.serial-in-use-by', user } }
}
