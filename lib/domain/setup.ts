import { type BackupCodeSet, unusedBackupCodes } from '../factors/backup-codes/kept.js'
import { isAhead, isGoodUntil } from '../factors/clock.js'
import type { Moment } from '../factors/factor.js'
import {
  type Authenticator,
  type FactorMethod,
  isAuthenticator,
  isUnproven,
  keyFactorOf,
  mainFactorOf,
  type UnprovenAuthenticator,
} from '../factors/factors.js'
import { noAttempts } from './attempts.js'
import { isNameTaken } from './authenticator-name.js'
import { hasCodes, isEnrolled } from './authenticators.js'
import type { Decision } from './decision.js'
import { namedDetail, type SecondStepEvent } from './event.js'
import { lockEventsOfChange } from './lock-event.js'
import { endMailReset } from './mail-reset.js'
import { withAuthenticators } from './miss-budget.js'
import type { SecondStepRecord } from './record.js'
import { mayGoOnWith, type RouteRules } from './route-rules.js'
import { isGranted } from './setup-grant.js'
import { placeOf, type Replaced, type SetupPlace } from './setup-place.js'
import { type Generation, raiseEpoch } from './stamp.js'
import { MINUTE_MS } from './units.js'

/**
 * A secret that was shown to the user, until one code proves that they have it. `type` names its
 * factor.
 */
export type SetupInProgress = UnprovenAuthenticator & {
  /** Id of the pending login or stamp that began it; nobody else sees or confirms it. */
  readonly owner: string
  readonly startedAt: number
  readonly misses: number
  readonly replaces: Replaced
  /** Version of the policy under which it began. Missing: from before it was noted. */
  readonly policy?: number
}

/** What begins a set-up. */
interface Begun {
  readonly owner: string
  readonly unproven: UnprovenAuthenticator
  /** Version of the policy by which that is judged. */
  readonly policy: number
}

const LASTS = 10 * MINUTE_MS
const MISSES_AT_MOST = 10

/** When a set-up in progress ends, in milliseconds. */
export function setupExpiresAt(setup: SetupInProgress): number {
  return setup.startedAt + LASTS
}

/** The set-up in progress that this owner may see and confirm now, or null. */
export function setupOf(
  record: SecondStepRecord,
  owner: string,
  now: number,
): SetupInProgress | null {
  const setup = currentSetup(record, now)
  return setup?.owner === owner ? setup : null
}

/** The set-up in progress, whoever began it. Null if there is none or its time is over. */
export function currentSetup({ setup }: SecondStepRecord, now: number): SetupInProgress | null {
  return setup !== null && isGoodUntil(setupExpiresAt(setup), LASTS, now) ? setup : null
}

/** Whether a clock that is ahead has begun it. */
export function isSetupAhead({ startedAt }: SetupInProgress, now: number): boolean {
  return isAhead(startedAt, now)
}

/** Answer of a set-up's begin: the set-up to show. */
export type BeginSetupAnswer =
  | { readonly kind: 'in-progress'; readonly setup: SetupInProgress }
  | { readonly kind: 'already-enrolled' }

/**
 * Begins a set-up, or continues the one that this owner began, so that a reload or a typo shows the
 * same QR code. One of another type, or with another challenge where the present one is over, takes its place, and lasts
 * no longer. Replaces somebody else's set-up and never shows it. A user who has an authenticator can continue a change
 * of key here, but can begin one only with a code; a one-time code counts. So it takes another code to go on with a type
 * that the first one might not bind.
 */
export function beginSetup(
  record: SecondStepRecord,
  command: Begun & {
    /** What the app's routes accept. Default: it has no such routes. */
    routes?: RouteRules
  },
  now: number,
): Decision<BeginSetupAnswer> {
  const present = setupOf(record, command.owner, now)
  if (present !== null) {
    if (isShownAgain(present, command.unproven.type, now)) {
      return { record, answer: { kind: 'in-progress', setup: present }, events: [] }
    }
    if (!mayBecome(present, command.unproven.type, record, command.routes ?? [])) {
      return { record, answer: { kind: 'already-enrolled' }, events: [] }
    }
    const { owner, startedAt, misses, replaces, policy } = present
    const under = policy === undefined ? {} : { policy }
    const setup = { ...command.unproven, owner, startedAt, misses, replaces, ...under }
    return { record: { ...record, setup }, answer: { kind: 'in-progress', setup }, events: [] }
  }
  if (!mayBeginSetup(record, command.owner, now)) {
    return { record, answer: { kind: 'already-enrolled' }, events: [] }
  }
  const setup = newSetup({ ...command, replaces: 'all' }, now)
  return { record: { ...record, setup }, answer: { kind: 'in-progress', setup }, events: [] }
}

/** Whether the set-up in progress may go on with another type. What replaces everything might touch everything. */
export function mayBecome(
  { type: begun, replaces }: Pick<SetupInProgress, 'type' | 'replaces'>,
  type: Authenticator['type'],
  record: Pick<SecondStepRecord, 'authenticators'>,
  routes: RouteRules,
): boolean {
  if (replaces === 'all') return true
  const replaced = placeOf(record, { replaces, type })?.replaced ?? null
  const touched = replaced === null ? [begun] : [begun, replaced.type]
  return mayGoOnWith(type, touched, record, routes)
}

/** Whether a set-up of this type shows what is in progress: its secret, or a challenge that is open. */
export function isShownAgain(
  present: SetupInProgress,
  type: Authenticator['type'],
  now: number,
): boolean {
  return present.type === type && (keyFactorOf(type)?.isOpen(present, now) ?? true)
}

/** Whether this owner may begin a set-up: nothing is bound, or a one-time code has opened it. */
export function mayBeginSetup(record: SecondStepRecord, owner: string, now: number): boolean {
  return !isEnrolled(record) || isGranted(record, owner, now)
}

/**
 * Begins a change of key or the set-up of one more authenticator, after a code was accepted. The present
 * ones work until the new one is confirmed. If the user stops here, nothing changes.
 */
export function beginKeyChange(
  record: SecondStepRecord,
  command: Begun & { readonly replaces: Replaced },
  now: number,
): Decision<SetupInProgress> {
  const setup = newSetup(command, now)
  return { record: { ...record, setup }, answer: setup, events: [] }
}

function newSetup(
  { owner, unproven, replaces, policy }: Begun & { readonly replaces: Replaced },
  now: number,
): SetupInProgress {
  return { ...unproven, owner, startedAt: now, misses: 0, replaces, policy }
}

/** Answer of a set-up's confirmation. */
export type ConfirmSetupAnswer =
  | ({
      readonly kind: 'enrolled'
      /** The factor that was bound. */
      readonly method: FactorMethod
      readonly backupCodesLeft: number
    } & Generation)
  | {
      readonly kind: 'wrong-code'
      /** Seconds that the device's clock is ahead (negative: behind), if the code shows it. */
      readonly clockOff: number | null
    }
  | { readonly kind: 'setup-expired' }
  | { readonly kind: 'already-enrolled' }
  /** Another authenticator has this name. The code was not looked at. */
  | { readonly kind: 'name-taken' }

/**
 * Confirms a set-up by one code. The same write burns the code (hanko #2723), clears the misses of
 * what it replaces, and raises the epoch, which ends sessions that never passed a second step.
 */
export async function confirmSetup(
  record: SecondStepRecord,
  command: {
    owner: string
    /** The code, as the set-up's factor has read it. */
    given: unknown
    /** Id of the authenticator that is bound now. */
    id: string
    /** The user's name for it. Null: none, or that of the one that it replaces. */
    name: string | null
    backupCodes: BackupCodeSet | null
  },
  moment: Moment,
): Promise<Decision<ConfirmSetupAnswer>> {
  const { now } = moment
  const setup = setupOf(record, command.owner, now)
  if (setup === null) {
    const again = mayBeginSetup(record, command.owner, now)
    const kind = again ? 'setup-expired' : 'already-enrolled'
    return { record, answer: { kind }, events: [] }
  }

  const place = placeOf(record, setup)
  if (place === null) return { record, answer: { kind: 'setup-expired' }, events: [] }
  const name = command.name ?? place.replaced?.name ?? null
  if (name !== null && isNameTaken({ authenticators: place.others }, name, null)) {
    return { record, answer: { kind: 'name-taken' }, events: [] }
  }

  const factor = mainFactorOf(setup.type)
  const proven = await factor.prove(setup, command.given, moment)
  if (proven.kind === 'wrong') return missedSetup(record, setup, proven)

  const { id } = command
  const own = { id, name, serial: null, since: now, lastUsedAt: now }
  const bound: unknown = { ...proven.kept, ...own }
  if (!isAuthenticator(bound)) throw new Error('a factor does not know what it keeps')
  if (isBoundAlready(place, bound)) {
    const unproven = keyFactorOf(setup.type)?.closed(setup)
    return missedSetup(record, setup, { clockOff: null, unproven })
  }
  const after = withBound(record, place, bound, moment)
  const enrolled: SecondStepRecord = {
    ...raiseEpoch(after),
    setup: null,
    mustSetUp: null,
    // One-time codes were made for the recovery that ends here.
    oneTimeCodes: [],
    backupCodes: command.backupCodes,
  }
  return {
    record: enrolled,
    answer: {
      kind: 'enrolled',
      method: factor.method,
      epoch: enrolled.epoch,
      version: enrolled.version,
      backupCodesLeft: unusedBackupCodes(command.backupCodes),
    },
    events: [
      boundEvent(record, setup, bound),
      ...lockEventsOfChange(bound.type, { before: record, after }, moment),
      ...endMailReset(record, now).events,
    ],
  }
}

/** The browser was told which keys there are, and may not have listened. */
function isBoundAlready({ others }: SetupPlace, bound: Authenticator): boolean {
  const factor = keyFactorOf(bound.type)
  return others.some((one) => one.type === bound.type && factor?.isSame(one, bound) === true)
}

/**
 * The misses are about the secrets that they were compared with. So they end with the last of these, and count on
 * where one stays: otherwise each device that its owner adds would give a guesser a month's tries again.
 */
function withBound(
  record: SecondStepRecord,
  place: SetupPlace,
  bound: Authenticator,
  moment: Moment,
): SecondStepRecord {
  const authenticators = place.put(bound)
  return !hasCodes({ authenticators: place.others })
    ? { ...record, authenticators, attempts: noAttempts }
    : withAuthenticators(record, authenticators, moment)
}

function boundEvent(
  record: SecondStepRecord,
  { replaces }: SetupInProgress,
  bound: Authenticator,
): SecondStepEvent {
  const { type: method, name } = bound
  if (replaces === 'none') {
    return { type: 'authenticator-added', method, detail: namedDetail(bound) }
  }
  const type = isEnrolled(record) ? 'key-changed' : 'enrolled'
  return name === null ? { type, method } : { type, method, detail: namedDetail(bound) }
}

function missedSetup(
  record: SecondStepRecord,
  setup: SetupInProgress,
  { clockOff, unproven }: { readonly clockOff: number | null; readonly unproven?: unknown },
): Decision<ConfirmSetupAnswer> {
  const misses = setup.misses + 1
  const next = isUnproven(unproven) ? { ...setup, ...unproven, misses } : { ...setup, misses }
  return {
    record: { ...record, setup: misses < MISSES_AT_MOST ? next : null },
    answer: { kind: 'wrong-code', clockOff },
    events: [{ type: 'wrong-code', method: mainFactorOf(setup.type).method }],
  }
}
