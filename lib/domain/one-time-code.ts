import type { Decision } from './decision.js'
import { type PendingLogin, pendingExpiresAt } from './pending-login.js'
import type { SecondStepRecord } from './record.js'

/** A code that an admin has made: good for one login, which must set up anew. */
export interface OneTimeCode {
  /** Random; the digest is bound to it and to the user. */
  readonly id: string
  readonly digest: string
  /** Milliseconds. */
  readonly expiresAt: number
  readonly usedAt: number | null
}

/** The pending login in which a one-time code was used: it may set up, and no other. */
export interface SetupGrant {
  /** Id of the pending login. */
  readonly owner: string
  /** Milliseconds. */
  readonly until: number
}

/** Milliseconds that a one-time code is good for. */
export const ONE_TIME_CODE_LASTS = 24 * 60 * 60 * 1000

const KEPT_AT_MOST = 10

/** The record with one code more. Expired ones go, and of more than ten the oldest. */
export function addOneTimeCode(
  record: SecondStepRecord,
  code: OneTimeCode,
  now: number,
): SecondStepRecord {
  const kept = record.oneTimeCodes.filter(({ expiresAt }) => now < expiresAt)
  return { ...record, oneTimeCodes: [...kept, code].slice(-KEPT_AT_MOST) }
}

/** Whether a code is there that a login could be given now. */
export function hasOpenOneTimeCode({ oneTimeCodes }: SecondStepRecord, now: number): boolean {
  return oneTimeCodes.some(({ expiresAt, usedAt }) => usedAt === null && now < expiresAt)
}

/** Whether a one-time code has opened the set-up for this pending login. */
export function isGranted({ setupGrant }: SecondStepRecord, owner: string, now: number): boolean {
  return setupGrant !== null && setupGrant.owner === owner && now < setupGrant.until
}

/** Whether a typed code is one of the user's, as its digests tell: open, used or expired. */
export function isOneTimeCode(record: SecondStepRecord, digests: readonly string[]): boolean {
  return record.oneTimeCodes.some(({ digest }) => digests.includes(digest))
}

/** What the domain says of a one-time code. `counted` is false for one that was once right. */
export type OneTimeCodeVerdict =
  | { readonly kind: 'setup-granted' }
  | { readonly kind: 'wrong-code'; readonly counted: boolean }

/**
 * Decides on a one-time code, named by its digests under every key of the ring and the ids of all
 * the user's codes. It signs nobody in: it opens the set-up in this pending login. The lock of the
 * authenticator does not stop it (Teleport RFD 158).
 */
export function answerOneTimeCode(
  record: SecondStepRecord,
  command: { digests: readonly string[]; pending: PendingLogin },
  now: number,
): Decision<OneTimeCodeVerdict> {
  const { digests, pending } = command
  const found = record.oneTimeCodes.find(({ digest }) => digests.includes(digest))
  if (found === undefined || found.usedAt !== null || now >= found.expiresAt) {
    const guessed = found === undefined
    return {
      record,
      answer: { kind: 'wrong-code', counted: guessed },
      events: guessed ? [{ type: 'wrong-code', method: 'one-time-code' }] : [],
    }
  }
  const used = { ...found, usedAt: now }
  return {
    record: {
      ...record,
      oneTimeCodes: record.oneTimeCodes.map((code) => (code === found ? used : code)),
      setupGrant: { owner: pending.id, until: pendingExpiresAt(pending) },
    },
    answer: { kind: 'setup-granted' },
    events: [{ type: 'one-time-code-used', method: 'one-time-code' }],
  }
}
