import { acceptedOf, authenticatorsAsked, backupCodesFor } from '../../domain/accepted-methods.js'
import {
  askedKeys,
  canResync,
  codeSourceOf,
  enrolledSince,
  firstAuthenticator,
  hasCodes,
  hasNoRoom,
  secondsToNextCode,
  workingAuthenticators,
} from '../../domain/authenticators.js'
import { keyShown } from '../../domain/own-authenticators.js'
import { ruleFor } from '../../domain/policy.js'
import { freshUntil } from '../../domain/stamp.js'
import { setupDeadlineOf } from '../../domain/standing.js'
import {
  backupCodesLeft,
  placeOfBackupCodes,
  usedAfterAdmin,
} from '../../factors/backup-codes/kept.js'
import { pageEvent } from '../../text/page-event.js'
import type { PageProblem, SettingsAction } from '../../text/pages.js'
import { acceptedWords, type Problem } from '../../text/problem.js'
import { shownAuthenticators, suspendedIds } from '../../text/shown-authenticator.js'
import { shownEvent } from '../../text/shown-event.js'
import { acceptsBackupCodes } from '../login/code-texts.js'
import type { Exchange, Handler } from '../request/handler.js'
import { typedName } from '../request/name-field.js'
import { languagesOf, wantsJson } from '../request/negotiation.js'
import { takeNotice } from '../request/notices.js'
import { typedIn, typedNext } from '../request/proof-field.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { nextOf } from '../routing/requirements.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { askedShown } from './asked-shown.js'
import { offeredProofs } from './offered-proofs.js'
import { ownEvents } from './own-events.js'
import { resetPendingOf, resetPendingShown } from './reset-pending.js'
import { triesBeforeLock } from './tries-before-lock.js'
import { trustedBrowsersShown } from './trusted-browsers.js'

/** GET `/` */
export const showSettings: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (!wantsJson(req)) {
    await settingsPage(exchange, null, null, 200)
    return undefined
  }
  const entries = await ownEvents(site, visitor.account.id)
  const { stamp } = visitor
  const until = stamp === null ? null : freshUntil(stamp)
  sendJson(res, {
    ...summaryOf(exchange),
    freshUntil: until !== null && until > site.system.now() ? new Date(until).toISOString() : null,
    resetPending: resetPendingShown(site, visitor.record),
    trustedBrowsers: trustedBrowsersShown(site, req, visitor),
    events: entries.map((entry) => shownEvent(site, entry)),
  })
  return undefined
}

/** A refused action: as JSON, or on the settings page at the form it was asked with. */
export async function refuseOnSettings(
  exchange: Exchange<SignedInVisitor>,
  problem: Problem,
  action: SettingsAction | null,
): Promise<Problem | undefined> {
  const { site, req, res } = exchange
  // The session was revoked meanwhile, so there are no settings to show.
  if (problem.code === 'sign-in-again' || problem.code === 'not-enrolled') return problem
  await sendProblem(site, req, res, problem, (shown, status) =>
    settingsPage(exchange, shown, action, status),
  )
  return undefined
}

async function settingsPage(
  exchange: Exchange<SignedInVisitor>,
  problem: PageProblem | null,
  action: SettingsAction | null,
  status: number,
): Promise<void> {
  const { site, req, res, visitor } = exchange
  const entries = await ownEvents(site, visitor.account.id)
  const notice = await takeNotice(req)
  const counted = authenticatorsAsked(visitor)
  const types = site.setup.typesFor(visitor.policy, visitor.subject)
  const data = {
    problem,
    action,
    notice,
    ...summaryOf(exchange),
    ...askedShown(visitor, site.system.now()),
    backupCodes: backupCodesFor(visitor.policy, visitor.subject),
    accepted: acceptedShown(exchange),
    backupCode: acceptsBackupCodes(site, visitor),
    offered: offeredProofs(site, visitor, types),
    source: codeSourceOf(counted),
    app: hasCodes(counted),
    suspended: suspendedIds(visitor.record),
    working: workingAuthenticators(counted, site.webauthn).map(({ id }) => id),
    keys: askedKeys(counted, site.webauthn).length > 0,
    resync: canResync(counted),
    typedNext: typedNext(req, problem),
    hardware: (firstAuthenticator(visitor.record)?.serial ?? null) !== null,
    locked: site.challenge.missesLeft(visitor.record) === 0,
    triesLeft: triesBeforeLock(site, visitor.record, problem),
    nextCodeIn: secondsToNextCode(counted, site.system.now()),
    ...typedIn(req, problem),
    codesSeen: usedAfterAdmin(visitor.record.backupCodes),
    codesKey: placeOfBackupCodes(visitor.record.backupCodes, site.keyIds),
    showKey: site.showKey && visitor.record.authenticators.some((one) => keyShown(one) === 'yes'),
    canAdd: types.some((type) => !hasNoRoom(visitor.record, type)),
    addKey: types.indexOf('webauthn') > 0 && !hasNoRoom(visitor.record, 'webauthn'),
    fewMissesWithOneMore: site.ownAuthenticators.fewMisses(visitor.record, types).withOneMore,
    trustedBrowsers: trustedBrowsersShown(site, req, visitor),
    typedName: problem === null ? '' : typedName(req),
    noMail: site.mails && visitor.account.email === null,
    resetPending: resetPendingOf(site, visitor.record),
    events: entries.map((entry) => pageEvent(site, entry)),
    next: nextOf(site, req),
  }
  await showPage(site, req, res, 'settings', data, status)
}

/** What the rules of the user's roles accept, in words. Null: everything. */
function acceptedShown({ site, req, visitor }: Exchange<SignedInVisitor>): string | null {
  const accepted = acceptedOf(visitor.policy, visitor.subject) ?? []
  const { t } = site.messages.for(languagesOf(site, req))
  return accepted.length === 0 ? null : acceptedWords(accepted, t)
}

function summaryOf({ site, visitor }: Exchange<SignedInVisitor>) {
  const { record, policy, subject } = visitor
  const { backupCodes } = record
  const since = enrolledSince(record)
  return {
    enrolled: since !== null,
    method: firstAuthenticator(record)?.type ?? null,
    since: since === null ? null : new Date(since).toISOString(),
    backupCodesLeft: backupCodesLeft(backupCodes, site.keyIds),
    backupCodesSaved: backupCodes?.saved ?? false,
    authenticators: shownAuthenticators(record),
    ...deadlinesOf(visitor, site.system.now()),
    canDisable: since !== null && ruleFor(policy, subject).mode !== 'required',
  }
}

/** The deadline to set up, and the end of a pause. */
function deadlinesOf(visitor: SignedInVisitor, now: number) {
  const deadline = setupDeadlineOf(visitor, now, visitor.stamp)
  const { pausedUntil } = askedShown(visitor, now)
  return {
    mustSetUp: deadline !== null,
    setupDeadline: deadline === null ? null : new Date(deadline).toISOString(),
    pausedUntil,
  }
}
