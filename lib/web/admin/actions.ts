import type { Request } from 'express'
import type { UserAction } from '../../domain/admin-actions.js'
import type { Policy } from '../../domain/policy.js'
import { type HardwareToken, hasWeakSeed } from '../../factors/hardware-token.js'
import type { Member } from '../../service/member.js'
import { isOdd } from '../../service/odd-user.js'
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
import { announceRefusal, type Change } from './change.js'
import { showCodes } from './codes.js'
import { daysOf, reasonOf } from './fields.js'
import { type Doing, type Done, type FindMember, makeChange, readInput } from './make-change.js'
import { directoryOf, presentAdmin } from './requirements.js'
import { tokenIn } from './token-fields.js'
import { authenticatorIn, memberOf, NO_SUCH_USER, pathOfUser, userPage } from './user.js'

const nothing = () => null
const stateAlone = ({ state }: Done<unknown>) => ({ state })

/** A change of one user, also as one of several. */
export interface UserChange extends Change {
  /** What is wrong with the input, whoever the user is; null: nothing. */
  readonly inputProblem: (site: Site, req: Request) => Problem | null
  /**
   * Makes the change to one of several users, as if alone, but for the answer.
   *
   * @param find the user
   * @param page where an admin is led back to who needs another proof
   * @returns the problem, or null where it was done
   */
  readonly toOne: (
    exchange: Exchange<SignedInVisitor>,
    find: FindMember,
    page: string,
  ) => Promise<Problem | null>
}

/** POST `/users/:id/<action>`: what each of the table of actions reads, does and answers. */
export const userChanges: Readonly<Record<UserAction, UserChange>> = {
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
  remind: userChange('remind', {
    read: nothing,
    run: (on, change) => on.administration.remind(change, on.mails),
    json: () => ({ status: 'reminded' }),
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

function userChange<Input, Result>(action: UserAction, doing: Doing<Input, Result>): UserChange {
  const answer = async (exchange: Exchange<SignedInVisitor>) => {
    const { site, req } = exchange
    const made = await makeChange(exchange, action, doing, { find: () => memberOf(site, req) })
    if (made === null || 'code' in made) return made ?? undefined
    const weak = doing.isWeak?.(made.input) === true
    await sendDone(exchange, made.member, { action, weak }, made.done, doing)
    return undefined
  }
  return {
    answer,
    refuse: (exchange, problem) => refuse(exchange, problem, action),
    inputProblem: (site, req) => {
      const input = readInput(site, req, doing)
      return 'problem' in input ? input.problem : null
    },
    toOne: async (exchange, find, page) => {
      const made = await makeChange(exchange, action, doing, { find, page })
      return made !== null && 'code' in made ? made : null
    },
  }
}

function warnOfSeed({ serial, secret }: HardwareToken): void {
  process.emitWarning(
    `passport-second-step: the hardware token ${serial} was assigned with a seed of ${8 * secret.length} bits; 160 are recommended (RFC 4226)`,
    { code: 'PASSPORT_SECOND_STEP_WEAK_SEED' },
  )
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
