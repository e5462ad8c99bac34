import type { Request } from 'express'
import { acceptedOf, authenticatorsAsked, lacksAccepted } from '../../domain/accepted-methods.js'
import {
  askedKeys,
  canResync,
  codeSourceOf,
  hasCodes,
  withCodes,
} from '../../domain/authenticators.js'
import { pendingExpiresAt } from '../../domain/pending-login.js'
import { mayBeTrusted } from '../../domain/trust-at-login.js'
import { FEW_BACKUP_CODES } from '../../factors/backup-codes/kept.js'
import type { Account } from '../../service/accounts.js'
import type { ProofAnswer } from '../../service/challenge.js'
import type { NewTrust } from '../../service/trusted-browsers.js'
import { shortBrowserName } from '../../text/browser-name.js'
import type { PageProblem } from '../../text/pages.js'
import { acceptedWords, malformed, type Problem } from '../../text/problem.js'
import { byProof } from '../login/by-proof.js'
import { acceptsBackupCodes, acceptsOneTimeCodes } from '../login/code-texts.js'
import { accountOfPending, finishLogin } from '../login/finish-login.js'
import { accountHint } from '../request/account-name.js'
import { isTicked } from '../request/body.js'
import { askKeys } from '../request/challenges.js'
import type { Exchange, Handler } from '../request/handler.js'
import { languagesOf, wantsJson } from '../request/negotiation.js'
import { takeNotice } from '../request/notices.js'
import { hasOpenedLink } from '../request/opened-link.js'
import { pagePath } from '../request/page-path.js'
import { typedIn, typedNext } from '../request/proof-field.js'
import { keptOfBrowser, saveSession } from '../request/session.js'
import type { HostApp, Services, Site } from '../request/site.js'
import { giveTrust } from '../request/trust-cookie.js'
import type { PendingVisitor } from '../request/visitor.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'
import { resetPendingOf, resetPendingShown } from './reset-pending.js'

const MISSES_UNTIL_CLOCK = 2

/** GET `/challenge` */
export const showChallenge: Handler<PendingVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (!wantsJson(req)) {
    const account = await hintOf(site, req, exchange.visitor)
    await challengePage(exchange, null, 200, { form: 'code', account })
    return undefined
  }
  sendJson(res, {
    methods: methodsOf(site, visitor),
    webauthn: await askKeys(exchange),
    trustOffered: trustOffered(site, visitor) !== null,
    lostOffered: isLostOffered(site, visitor),
    resetPending: resetPendingShown(site, visitor.record),
    triesLeft: await triesLeftOf(exchange),
    expiresAt: new Date(pendingExpiresAt(visitor.pending)).toISOString(),
  })
  return undefined
}

/** POST `/challenge` */
export const answerChallenge: Handler<PendingVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const ticked = isTicked(req, 'trust')
  if (ticked === undefined) return refuseAtChallenge(exchange, malformed('trust'))
  // Before the code is checked: an unavailable user store must not cost a backup code.
  const account = await accountOfPending(site, req, visitor)
  if (account === undefined) return { code: 'sign-in-again' }
  const trusting = ticked ? trustOffered(site, visitor) : null
  const outcome = await byProof<NewTrust | undefined>(exchange, (attempt) =>
    trusting === null
      ? site.challenge.answer(attempt)
      : trusting.answer(attempt, shortBrowserName(attempt.requestInfo.userAgent)),
  )
  if ('problem' in outcome) return refuseAtChallenge(exchange, outcome.problem)

  const { method, backupCodesLeft, result: trust } = outcome.done
  if (trusting !== null && trust !== undefined) {
    giveTrust(res, trusting.cookie, trust, site.system.now())
  }
  const next = await signInBy(exchange, account, outcome.done)
  if (wantsJson(req)) sendJson(res, { status: 'signed-in', method, backupCodesLeft, next })
  else redirect(res, next)
  return undefined
}

/**
 * Signs a pending login in, after a proof.
 *
 * @returns where the visitor goes on
 */
export async function signInBy(
  { site, req, visitor }: Exchange<PendingVisitor>,
  account: Account<Express.User>,
  given: Omit<Extract<ProofAnswer, { kind: 'accepted' }>, 'result'>,
): Promise<string> {
  const { method, backupCodesLeft, seenByAdmin } = given
  const html = !wantsJson(req)
  // After a backup code, the user should read how many are left, and what to do about the phone.
  const byBackupCode = html && method === 'backup-code'
  const few = html && hasBackupCodes(visitor) && backupCodesLeft <= FEW_BACKUP_CODES
  const passed = {
    account,
    method,
    given,
    pageBetween: byBackupCode || few || seenByAdmin,
    notice: byBackupCode ? ('backup-code-used' as const) : undefined,
  }
  const going = await finishLogin(site, req, visitor, passed)
  return passed.pageBetween ? `${site.paths.secondStep}/` : going
}

/**
 * A problem that ends the pending login gets its own page. Every other problem is shown on this
 * one. A one-time code is no mistake: it continues with the set-up.
 */
export async function refuseAtChallenge(
  exchange: Exchange<PendingVisitor>,
  problem: Problem,
  form: 'code' | 'resync' = 'code',
): Promise<Problem | undefined> {
  if (problem.code === 'setup-required') return sendToSetup(exchange)
  if (problem.text?.key === 'challenge.last-wrong-code' && !wantsJson(exchange.req))
    return usedUp(exchange, problem)
  const isEnded = problem.code === 'not-enrolled' && form === 'code'
  const over = isEnded || problem.code === 'sign-in-again'
  return over ? { code: 'sign-in-again' } : onPage(exchange, problem, form)
}

/**
 * The last miss leads to the sign-in at once, because the next code would be refused even if it
 * were right. JSON clients get `sign-in-again` at their next try.
 */
async function usedUp({ site, req }: Exchange, problem: Problem): Promise<Problem> {
  req.session.secondStep = keptOfBrowser(req.session.secondStep)
  await saveSession(req)
  return { ...problem, link: site.paths.signIn }
}

async function sendToSetup({ site, req, res }: Exchange): Promise<undefined> {
  const next = pagePath(site.paths, 'setup-required')
  if (wantsJson(req)) sendJson(res, { status: 'setup-required', next })
  else redirect(res, next)
}

async function onPage(
  exchange: Exchange<PendingVisitor>,
  problem: Problem,
  form: 'code' | 'resync',
): Promise<Problem | undefined> {
  const { site, req, res, visitor } = exchange
  await sendProblem(site, req, res, problem, async (shown, status) => {
    // At once: each may wait for a store that hangs, and the session has still to be saved.
    const [record, account] = await Promise.all([
      site.sessions.record(visitor.pending.userId),
      hintOf(site, req, visitor),
    ])
    const asked = { ...exchange, visitor: { ...visitor, record } }
    await challengePage(asked, shown, status, { form, account })
  })
  return undefined
}

async function challengePage(
  exchange: Exchange<PendingVisitor>,
  problem: PageProblem | null,
  status: number,
  { form, account }: { form: 'code' | 'resync'; account: string | null },
): Promise<void> {
  const { site, req, res, visitor } = exchange
  const { attempts } = visitor.record
  const asked = authenticatorsAsked(visitor)
  // A problem has its own number.
  const triesLeft = problem === null ? await triesLeftOf(exchange) : null
  const data = {
    problem,
    notice: req.query.forgotten === undefined ? await takeNotice(req) : 'browser-forgotten',
    backupCode: acceptsBackupCodes(site, visitor),
    oneTimeCode: acceptsOneTimeCodes(exchange),
    app: hasCodes(asked),
    keys: askedKeys(asked, site.webauthn).length > 0,
    source: codeSourceOf(asked),
    resync: canResync(asked),
    ...ruleShown(exchange),
    action: form === 'resync' ? form : null,
    typedNext: typedNext(req, problem),
    account,
    ...typedIn(req, form === 'code' ? problem : null),
    ...(form === 'resync' ? { typed: typedIn(req, problem).typed } : {}),
    resetPending: resetPendingOf(site, visitor.record),
    openedLink: hasOpenedLink(site, req, visitor),
    lost: isLostOffered(site, visitor),
    trust: trustOffered(site, visitor)?.days ?? null,
    triesLeft,
    lastLocks: triesLeft !== null && site.challenge.missesLeft(visitor.record) <= triesLeft,
    // Most wrong codes come from a wrong clock. The page never says whether a code was near.
    clock:
      attempts.consecutive >= MISSES_UNTIL_CLOCK && hasApp(visitor)
        ? new Date(site.system.now())
        : null,
  }
  return showPage(site, req, res, 'challenge', data, status)
}

/** What trusts this browser after a code of a device, or null: the host or the user's rule has no such thing. */
function trustOffered({ trustedBrowsers, system }: Site, visitor: PendingVisitor) {
  return mayBeTrusted(visitor, system.now()) ? trustedBrowsers : null
}

function isLostOffered({ lost }: Services, visitor: PendingVisitor): boolean {
  return lost?.isOpenTo(visitor) === true
}

/** What the rules of the user's roles accept, in words, and whether they have none of it yet. */
function ruleShown({ site, req, visitor }: Exchange<PendingVisitor>) {
  const accepted = acceptedOf(visitor.policy, visitor.subject)
  if (accepted === null || accepted.length === 0) return { accepted: null, leadsToSetup: false }
  const { t } = site.messages.for(languagesOf(site, req))
  return {
    accepted: acceptedWords(accepted, t),
    leadsToSetup: lacksAccepted(visitor.record, accepted),
  }
}

/** Only an app is on a device whose clock its user can set. */
function hasApp({ record }: PendingVisitor): boolean {
  return codeSourceOf(record) !== 'device'
}

/** The tries of this login, or those before the lock where they are fewer. */
async function triesLeftOf({ site, visitor }: Exchange<PendingVisitor>): Promise<number> {
  const ofLogin = await site.limits.triesLeft(visitor.pending.id, visitor.policy)
  return Math.min(ofLogin, site.challenge.missesLeft(visitor.record))
}

/**
 * A user with several accounts must know which code to look for. If the user store is unavailable,
 * the page leaves the name out.
 */
async function hintOf(
  site: HostApp,
  req: Request,
  visitor: PendingVisitor,
): Promise<string | null> {
  const account = await accountOfPending(site, req, visitor).catch(() => undefined)
  return account === undefined ? null : accountHint(account)
}

/**
 * The text does not name one-time codes: a user who has one knows it, and nobody else needs to
 * know.
 */
function methodsOf(site: Site, visitor: PendingVisitor): readonly string[] {
  const asked = authenticatorsAsked(visitor)
  const given = [...withCodes(asked), ...askedKeys(asked, site.webauthn)]
  return [
    ...new Set(given.map(({ type }) => type)),
    ...(acceptsBackupCodes(site, visitor) ? ['backup-code'] : []),
  ]
}

/** The codes are used up, or their key is gone: the user should make new ones. */
function hasBackupCodes({ record, policy }: PendingVisitor): boolean {
  return policy.backupCodes && record.backupCodes !== null
}
