import { noAttempts } from './attempts.js'
import { matchCode, type OtpParameters, stepsOff } from './authenticator.js'
import { type BackupCodeSet, backupCodesLeft } from './backup-codes.js'
import type { Decision } from './decision.js'
import { endMailReset } from './mail-reset.js'
import { isGranted } from './one-time-code.js'
import type { SecondStepRecord } from './record.js'
import { raiseEpoch } from './stamp.js'

/** A secret that was shown and waits for the one code that proves the authenticator has it. */
export interface SetupInProgress extends OtpParameters {
  /** Id of the pending login or stamp that began it; nobody else sees or confirms it. */
  readonly owner: string
  /** Sealed, under another purpose than a live secret. */
  readonly secret: string
  readonly startedAt: number
  readonly misses: number
}

const LASTS = 10 * 60 * 1000
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
  const { setup } = record
  return setup !== null && setup.owner === owner && now < setupExpiresAt(setup) ? setup : null
}

/** Answer of a set-up's begin: the set-up to show. */
export type BeginSetupAnswer =
  | { readonly kind: 'in-progress'; readonly setup: SetupInProgress }
  | { readonly kind: 'already-enrolled' }

/**
 * Begins a set-up, or goes on with the one that this owner has begun: a reload and a typo show the
 * same QR code. Somebody else's set-up is replaced, never shown. Who has an authenticator goes on
 * with a change of key, but begins one only by a code; a one-time code is one.
 */
export function beginSetup(
  record: SecondStepRecord,
  command: { owner: string; secret: string; parameters: OtpParameters },
  now: number,
): Decision<BeginSetupAnswer> {
  const present = setupOf(record, command.owner, now)
  if (present !== null) {
    return { record, answer: { kind: 'in-progress', setup: present }, events: [] }
  }
  if (!mayBeginSetup(record, command.owner, now)) {
    return { record, answer: { kind: 'already-enrolled' }, events: [] }
  }
  const setup = newSetup(command, now)
  return { record: { ...record, setup }, answer: { kind: 'in-progress', setup }, events: [] }
}

/** Whether this owner may begin a set-up: nothing is bound, or a one-time code has opened it. */
export function mayBeginSetup(record: SecondStepRecord, owner: string, now: number): boolean {
  return record.authenticator === null || isGranted(record, owner, now)
}

/**
 * Begins a change of key, after a code was accepted. The old authenticator works until the new one
 * is confirmed; backing out changes nothing.
 */
export function beginKeyChange(
  record: SecondStepRecord,
  command: { owner: string; secret: string; parameters: OtpParameters },
  now: number,
): Decision<SetupInProgress> {
  const setup = newSetup(command, now)
  return { record: { ...record, setup }, answer: setup, events: [] }
}

function newSetup(
  { owner, secret, parameters }: { owner: string; secret: string; parameters: OtpParameters },
  now: number,
): SetupInProgress {
  return { ...parameters, owner, secret, startedAt: now, misses: 0 }
}

/** Answer of a set-up's confirmation. */
export type ConfirmSetupAnswer =
  | { readonly kind: 'enrolled'; readonly epoch: number; readonly backupCodesLeft: number }
  | {
      readonly kind: 'wrong-code'
      /** Seconds that the device's clock is ahead (or, below zero, behind), where the code tells. */
      readonly clockOff: number | null
    }
  | { readonly kind: 'setup-expired' }
  | { readonly kind: 'already-enrolled' }

/**
 * Confirms a set-up by one code. The code's step is burned with it (hanko #2723), earlier misses
 * are forgotten, and the epoch is raised: sessions that know nothing of a second step end.
 */
export function confirmSetup(
  record: SecondStepRecord,
  command: {
    owner: string
    code: string
    /** The opened secret of the set-up in progress. */
    secret: Uint8Array
    /** The same secret, sealed for its live use. */
    liveSecret: string
    backupCodes: BackupCodeSet | null
    window: number
  },
  now: number,
): Decision<ConfirmSetupAnswer> {
  const setup = setupOf(record, command.owner, now)
  if (setup === null) {
    const again = mayBeginSetup(record, command.owner, now)
    const kind = again ? 'setup-expired' : 'already-enrolled'
    return { record, answer: { kind }, events: [] }
  }

  const match = matchCode(command.code, command.secret, setup, {
    lastStep: -1,
    window: command.window,
    now,
  })
  if (match.kind !== 'match') {
    return missedSetup(record, setup, stepsOff(command.code, command.secret, setup, now))
  }

  const { algorithm, digits, period } = setup
  const enrolled: SecondStepRecord = {
    ...raiseEpoch(record),
    authenticator: {
      type: 'totp',
      secret: command.liveSecret,
      algorithm,
      digits,
      period,
      lastStep: match.step,
      since: now,
    },
    setup: null,
    mustSetUp: null,
    // They were made for the recovery that this one ends.
    oneTimeCodes: [],
    backupCodes: command.backupCodes,
    attempts: noAttempts,
  }
  const type = record.authenticator === null ? 'enrolled' : 'key-changed'
  return {
    record: enrolled,
    answer: {
      kind: 'enrolled',
      epoch: enrolled.epoch,
      backupCodesLeft: backupCodesLeft(command.backupCodes),
    },
    events: [{ type, method: 'totp' }, ...endMailReset(record, now).events],
  }
}

function missedSetup(
  record: SecondStepRecord,
  setup: SetupInProgress,
  stepsOff: number | null,
): Decision<ConfirmSetupAnswer> {
  const misses = setup.misses + 1
  return {
    record: { ...record, setup: misses < MISSES_AT_MOST ? { ...setup, misses } : null },
    answer: { kind: 'wrong-code', clockOff: stepsOff === null ? null : stepsOff * setup.period },
    events: [{ type: 'wrong-code', method: 'totp' }],
  }
}
