import type { AskedChallenge } from '../factors/ceremony.js'
import { challengeDigest } from '../factors/challenge.js'
import type { SecondStepRecord } from './record.js'
import { MINUTE_MS } from './units.js'

/** A challenge that was answered, be it wrongly: no other answer to it is right. */
export interface UsedChallenge {
  /** 12 bytes of its SHA-256, in base64url. */
  readonly digest: string
  /** When it need not be remembered any more, in milliseconds. */
  readonly until: number
}

/** How many a record has at most. Then it forgets the oldest. */
export const USED_CHALLENGES_AT_MOST = 20

type HasUsed = Pick<SecondStepRecord, 'usedChallenges'>

/** Whether a challenge was answered before. The session may have forgotten it, or two may have it. */
export function isUsedChallenge({ usedChallenges }: HasUsed, challenge: string): boolean {
  const digest = challengeDigest(challenge)
  return usedChallenges.some((used) => used.digest === digest)
}

/** The record after an answer to this challenge. Also those of a clock that is a minute behind are kept. */
export function useUpChallenge(
  record: SecondStepRecord,
  { challenge, until }: Pick<AskedChallenge, 'challenge' | 'until'>,
  now: number,
): SecondStepRecord {
  const used = { digest: challengeDigest(challenge), until: until + MINUTE_MS }
  const kept = record.usedChallenges.filter((one) => now < one.until)
  return { ...record, usedChallenges: [...kept, used].slice(-USED_CHALLENGES_AT_MOST) }
}
