import {
  type Attempts,
  addMiss,
  attemptCaps,
  type Block,
  blockOf,
  clearConsecutive,
  lockEnd,
} from './attempts.js'
import { matchCode } from './authenticator.js'
import { backupCodesLeft, FEW_BACKUP_CODES } from './backup-codes.js'
import type { Decision } from './decision.js'
import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/** What the domain says of a code. `counted` is false for a replay: it cost nothing. */
export type CodeVerdict =
  | {
      readonly kind: 'accepted'
      readonly method: Method
      readonly epoch: number
      readonly backupCodesLeft: number
      /** It was a backup code of a set that an admin has seen. */
      readonly seenByAdmin: boolean
    }
  | { readonly kind: 'wrong-code'; readonly counted: boolean }
  | { readonly kind: 'blocked'; readonly until: number }
  | { readonly kind: 'not-enrolled' }

/** The wait or the lock that keeps this user's authenticator from being asked now. */
export function authenticatorBlock(
  record: SecondStepRecord,
  window: number,
  now: number,
): Block | null {
  return blockOf(record.attempts, attemptCaps(window), now)
}

/** Notes in the record until when it is locked, for whoever lists records by state. */
export function noteLock(record: SecondStepRecord, window: number, now: number): SecondStepRecord {
  const { authenticator, attempts } = record
  const lockedUntil = authenticator === null ? null : lockEnd(attempts, attemptCaps(window), now)
  return { ...record, lockedUntil }
}

/**
 * Decides on a code of the authenticator. While it waits or is locked no code is looked at, so a
 * right and a wrong one cannot be told apart and neither is written.
 */
export function answerOtp(
  record: SecondStepRecord,
  command: { code: string; secret: Uint8Array; window: number; resealed: string | null },
  now: number,
): Decision<CodeVerdict> {
  const { authenticator } = record
  if (authenticator === null) return unchanged(record, { kind: 'not-enrolled' })
  const block = authenticatorBlock(record, command.window, now)
  if (block !== null) return unchanged(record, { kind: 'blocked', until: block.until })

  const { lastStep } = authenticator
  const { code, secret, window } = command
  const match = matchCode(code, secret, authenticator, { lastStep, window, now })
  if (match.kind === 'replay') return unchanged(record, { kind: 'wrong-code', counted: false })
  if (match.kind === 'mismatch') return missed(record, window, now)

  const accepted: SecondStepRecord = {
    ...record,
    authenticator: {
      ...authenticator,
      lastStep: match.step,
      secret: command.resealed ?? authenticator.secret,
    },
    attempts: clearConsecutive(record.attempts),
  }
  return accept(accepted, authenticator.type)
}

/**
 * Decides on a backup code, named by its digests under every key of the ring. Works while the
 * authenticator is locked (Teleport RFD 158) and is never locked itself: guessing 120 bits needs no
 * limit, and one would let somebody with the password shut the owner out.
 */
export function answerBackupCode(
  record: SecondStepRecord,
  command: { digests: readonly string[] },
  now: number,
): Decision<CodeVerdict> {
  const set = record.backupCodes
  if (record.authenticator === null) return unchanged(record, { kind: 'not-enrolled' })
  const found = set?.codes.find((code) => command.digests.includes(code.digest))
  if (set === null || found === undefined || found.usedAt !== null) {
    const guessed = found === undefined
    return {
      record,
      answer: { kind: 'wrong-code', counted: guessed },
      events: guessed ? [{ type: 'wrong-code', method: 'backup-code' }] : [],
    }
  }
  const codes = set.codes.map((code) => (code === found ? { ...code, usedAt: now } : code))
  const accepted: SecondStepRecord = {
    ...record,
    backupCodes: { ...set, codes },
    attempts: clearConsecutive(record.attempts),
  }
  const decision = accept(accepted, 'backup-code')
  return { ...decision, events: [...decision.events, ...backupCodeUsed(accepted)] }
}

function accept(record: SecondStepRecord, method: Method): Decision<CodeVerdict> {
  return {
    record,
    answer: {
      kind: 'accepted',
      method,
      epoch: record.epoch,
      backupCodesLeft: backupCodesLeft(record.backupCodes),
      seenByAdmin: method === 'backup-code' && record.backupCodes?.seenByAdmin === true,
    },
    events: [{ type: 'code-accepted', method }],
  }
}

function backupCodeUsed(record: SecondStepRecord): readonly SecondStepEvent[] {
  const told = {
    method: 'backup-code',
    detail: { backupCodesLeft: backupCodesLeft(record.backupCodes) },
  } as const
  const used = { type: 'backup-code-used', ...told } as const
  if (told.detail.backupCodesLeft > FEW_BACKUP_CODES) return [used]
  return [used, { type: 'backup-codes-low', ...told }]
}

function missed(record: SecondStepRecord, window: number, now: number): Decision<CodeVerdict> {
  const caps = attemptCaps(window)
  const attempts: Attempts = addMiss(record.attempts, caps, now)
  const block = blockOf(attempts, caps, now)
  return {
    record: { ...record, attempts },
    answer: { kind: 'wrong-code', counted: true },
    events: [
      { type: 'wrong-code', method: 'totp' },
      ...(block?.locked === true ? [lockedUntil(block.until)] : []),
    ],
  }
}

function lockedUntil(until: number): SecondStepEvent {
  return { type: 'authenticator-locked', method: 'totp', detail: { until: new Date(until) } }
}

function unchanged(record: SecondStepRecord, answer: CodeVerdict): Decision<CodeVerdict> {
  return { record, answer, events: [] }
}
