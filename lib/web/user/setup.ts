import type { Request } from 'express'
import { backupCodesFor } from '../../domain/accepted-methods.js'
import { isEnrolled } from '../../domain/authenticators.js'
import { currentSetup, mayBecome, mayBeginSetup, setupOf } from '../../domain/setup.js'
import type { Generation, Stamp } from '../../domain/stamp.js'
import {
  AUTHENTICATOR_TYPES,
  type Authenticator,
  type FactorMethod,
} from '../../factors/factors.js'
import type { Account } from '../../service/accounts.js'
import type { SetupShown } from '../../service/setup.js'
import type { CodesDone, ShownCodes } from '../../service/shown-codes.js'
import type { ShownKey } from '../../service/shown-key.js'
import type { PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { doneEnoughToday, malformedAtSetup, wrongAtSetup } from '../login/by-proof.js'
import { enter } from '../login/enter.js'
import { accountOfPending, finishLogin } from '../login/finish-login.js'
import { accountName } from '../request/account-name.js'
import { addressLimit } from '../request/client-address.js'
import type { Exchange, Handler } from '../request/handler.js'
import { keepsHostsKeys } from '../request/kept-keys.js'
import { nameIn } from '../request/name-field.js'
import { wantsJson } from '../request/negotiation.js'
import { proofIn } from '../request/proof-field.js'
import { givenOf, keptCodes, shownBefore } from '../request/shown-again.js'
import { ownerOf, type PendingVisitor, type SignedInVisitor } from '../request/visitor.js'
import { backOf, knownNextOf, nextOf } from '../routing/requirements.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { strongerFactorOf } from '../routing/stronger-factor.js'
import { askedShown } from './asked-shown.js'
import { keyPage, securityKeyPage, sendKey } from './key-page.js'
import { setupOwner } from './setup-owner.js'

type Owner = PendingVisitor | SignedInVisitor

/** GET `/setup` */
export const showSetup: Handler<Owner> = async (exchange) => {
  const { site, req } = exchange
  const type = askedType(req)
  if (type === undefined) return malformed('type')
  const account = await accountOf(exchange)
  if (account === undefined) return { code: 'sign-in-again' }
  const shown = await site.setup.show(await setupOwner(exchange), type)
  if (shown.kind !== 'shown') return refusalOf(exchange, shown.kind)
  await answerWithKey(exchange, account, shown)
  return undefined
}

/** POST `/setup` */
export const confirmSetup: Handler<Owner> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (await showSetUpAgain(exchange)) return undefined
  const account = await accountOf(exchange)
  if (account === undefined) return { code: 'sign-in-again' }
  const owner = await setupOwner(exchange)
  const proof = proofIn(req)
  const name = nameIn(req)
  const begun = setupOf(owner.record, owner.owner, site.system.now())
  const noCode = begun === null ? malformed('code') : malformedAtSetup(begun)
  if (name === undefined) return refuse(exchange, account, wrongName('device.name-wrong'))
  if (proof === null) return refuse(exchange, account, noCode)

  const given = { proof, name, ...addressLimit(site, req) }
  const answer = await site.setupConfirmations.confirm(owner, given)
  if (answer.kind === 'sign-in-again') return { code: answer.kind }
  if (answer.kind === 'too-many-attempts') {
    const { retryAfter, enoughToday } = answer
    const problem = enoughToday ? doneEnoughToday(retryAfter) : { code: answer.kind, retryAfter }
    return refuse(exchange, account, problem)
  }
  if (answer.kind === 'wrong-code') {
    return refuse(exchange, account, wrongAtSetup(begun, answer.clockOff))
  }
  if (answer.kind === 'malformed-request') return refuse(exchange, account, noCode)
  if (answer.kind === 'name-taken') {
    return refuse(exchange, account, wrongName('device.name-taken'))
  }
  if (answer.kind === 'stronger-factor-required') return refusalOf(exchange, answer.kind)
  if (answer.kind !== 'enrolled') return refuse(exchange, account, { code: answer.kind })

  const codes = answer.backupCodes
  const sessionsEnded = visitor.kind === 'signed-in'
  const done = doneBy(exchange)
  const shown = { codes, given: givenOf(req), until: null, sessionsEnded, done } as const
  const next = await signIn(exchange, account, answer, shown)
  if (wantsJson(req)) sendJson(res, { status: 'enrolled', backupCodes: codes, next })
  else {
    const madeAt = new Date(site.system.now())
    const page = {
      problem: null,
      codes,
      account: accountName(account),
      done,
      madeAt,
      sessionsEnded,
      ...askedShown(visitor, site.system.now()),
      next,
    } as const
    await showPage(site, req, res, 'backup-codes', page)
  }
  return undefined
}

/** The way on from a type that does not count is the set-up of one that does. */
function refusalOf(
  { site, visitor }: Exchange<Owner>,
  code: Exclude<SetupShown['kind'], 'shown'>,
): Problem {
  if (code !== 'stronger-factor-required') return { code }
  const { secondStep } = site.paths
  const offered = site.setup.typesFor(visitor.policy, visitor.subject).length > 0
  return strongerFactorOf(visitor, offered ? `${secondStep}/setup` : `${secondStep}/`)
}

/** What the set-up was for, as the record had it before. */
function doneBy({ site, visitor }: Exchange<Owner>): CodesDone {
  const { record } = visitor
  if (currentSetup(record, site.system.now())?.replaces === 'none') return 'added'
  return isEnrolled(record) ? 'key-changed' : 'enrolled'
}

function wrongName(key: 'device.name-wrong' | 'device.name-taken'): Problem {
  return { ...malformed('name'), text: { key } }
}

/** The form was sent again, by a reload of the page that shows the codes. */
async function showSetUpAgain({ site, req, res, visitor }: Exchange<Owner>): Promise<boolean> {
  if (visitor.kind === 'pending') return false
  const { account: owner, record, policy, subject } = visitor
  const shown = await shownBefore(site, req, visitor.stamp, 'setup', (codes) => {
    if (codes.length === 0) return isEnrolled(record)
    return (
      backupCodesFor(policy, subject) && site.backupCodes.areOf(owner.id, record.backupCodes, codes)
    )
  })
  if (shown === null) return false
  const { codes, done, sessionsEnded, at } = shown
  const account = accountName(owner)
  const page = {
    codes,
    account,
    done,
    sessionsEnded,
    madeAt: new Date(at),
    ...askedShown(visitor, site.system.now()),
    next: backOf(site, req),
  }
  await showPage(site, req, res, 'backup-codes', { problem: null, ...page })
  return true
}

/**
 * The set-up is done: the pending login is signed in, or this session continues with a new stamp
 * and id.
 */
async function signIn(
  { site, req, visitor }: Exchange<Owner>,
  account: Account<Express.User>,
  given: Generation & { readonly method: FactorMethod },
  shown: ShownCodes,
): Promise<string> {
  const keepCodes = async (stamp: Stamp) =>
    wantsJson(req) ? null : keptCodes(site, stamp, 'setup', shown)
  if (visitor.kind === 'pending') {
    return finishLogin(site, req, visitor, {
      account,
      method: given.method,
      given,
      pageBetween: true,
      keepCodes,
    })
  }
  const [next, back] = [nextOf(site, req), backOf(site, req)]
  const stamp = site.sessions.stamp(ownerOf(visitor), given, given.method)
  await enter(site, req, {
    account: visitor.account,
    stamp,
    userContext: visitor,
    keeps: keepsHostsKeys(site, req),
    next: knownNextOf(site, req) ?? undefined,
    shown: await keepCodes(stamp),
  })
  return wantsJson(req) ? next : back
}

/** The type of authenticator in the query: null if absent, undefined if there is no such type. */
function askedType(req: Request): Authenticator['type'] | null | undefined {
  const value: unknown = Reflect.get(req.query, 'type')
  return value === undefined ? null : AUTHENTICATOR_TYPES.find((type) => type === value)
}

async function accountOf({
  site,
  req,
  visitor,
}: Exchange<Owner>): Promise<Account<Express.User> | undefined> {
  return visitor.kind === 'signed-in' ? visitor.account : accountOfPending(site, req, visitor)
}

/**
 * After a typo, shows the same QR code again. An expired set-up does not begin a new one by itself.
 */
async function refuse(
  exchange: Exchange<Owner>,
  account: Account<Express.User>,
  problem: Problem,
): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  const goesOn = ['wrong-code', 'malformed-request', 'too-many-attempts'].includes(problem.code)
  const settings = `${site.paths.secondStep}/`
  const begin = problem.code === 'already-enrolled' ? settings : `${settings}setup`
  if (wantsJson(req) || !goesOn) return { ...problem, link: begin }
  const owner = await setupOwner(exchange)
  const record = (await site.sessions.userContext(owner.userId, owner.subject)).record
  const now = site.system.now()
  const over = setupOf(record, owner.owner, now) === null
  if (over && !mayBeginSetup(record, owner.owner, now)) {
    return { code: 'already-enrolled', link: settings }
  }
  if (over && problem.code === 'wrong-code') return { code: 'setup-expired', link: begin }
  const shown = await site.setup.show({ ...owner, record }, null)
  if (shown.kind !== 'shown') return refusalOf(exchange, shown.kind)
  const ofCode = problem.code === 'malformed-request' && problem.field === 'code'
  const told = ofCode ? malformedAtSetup(shown.parameters) : problem
  await sendProblem(site, req, res, told, (text, status) =>
    setupPage(exchange, account, shown, text, status),
  )
  return undefined
}

async function answerWithKey(
  exchange: Exchange<Owner>,
  account: Account<Express.User>,
  key: ShownKey,
): Promise<void> {
  const { site, req, res } = exchange
  if (wantsJson(req)) await sendKey(site, res, account, key)
  else await setupPage(exchange, account, key, null, 200)
}

function setupPage(
  { site, req, res, visitor }: Exchange<Owner>,
  account: Account<Express.User>,
  key: ShownKey,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const cancel = visitor.kind === 'pending'
  // A pending login with a one-time code has no authenticator at hand.
  const isFirst = cancel || !isEnrolled(visitor.record)
  const begun = currentSetup(visitor.record, site.system.now())
  const isMore = begun?.replaces === 'none'
  const purpose = isFirst ? 'setup' : isMore ? 'add' : 'change-key'
  const { rules } = site.mountedRules
  const types = site.setup
    .typesFor(visitor.policy, visitor.subject)
    .filter((type) => begun === null || mayBecome(begun, type, visitor.record, rules))
  const { asked } = askedShown(visitor, site.system.now())
  const shown = { purpose, cancel, problem, status, types, asked } as const
  return key.secret === null
    ? securityKeyPage(site, req, res, shown)
    : keyPage(site, req, res, account, key, shown)
}
