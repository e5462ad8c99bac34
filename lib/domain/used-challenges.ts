import type { AskedChallenge } from '../factors/ceremony.js'
import { shortDigest } from '../factors/short-digest.js'
import type { SecondStepRecord } from './record.js'
import { MINUTE_MS } from './units.js'

/** A challenge that was answered: no other answer to it is right. */
export interface UsedChallenge {
  /** 12 bytes of its SHA-256, in base64url. */
  readonly digest: string
  /** When it need not be remembered any more, in milliseconds. */
  readonly until: number
}

/** How many a record has at most. Whoever has given right answers to so many waits for the first to be forgotten. */
export const USED_CHALLENGES_AT_MOST = 100

/**
 * Beside so many a wrong answer is not noted. Whoever has the password can give many: they must neither push out
 * one that was accepted, nor leave no room for the owner's next. Repeated, such an answer is wrong again.
 */
const WITH_WRONG_ONES_AT_MOST = 20

type HasUsed = Pick<SecondStepRecord, 'usedChallenges'>

/** Whether a challenge was answered before. The session may have forgotten it, or two may have it. */
export function isUsedChallenge({ usedChallenges }: HasUsed, challenge: string): boolean {
  const digest = shortDigest(challenge)
  return usedChallenges.some((used) => used.digest === digest)
}

/** Until when nothing can be judged, as the record has no room to note it; null: it has. In milliseconds. */
export function fullOfChallenges({ usedChallenges }: HasUsed, now: number): number | null {
  const live = usedChallenges.filter(({ until }) => now < until)
  if (live.length < USED_CHALLENGES_AT_MOST) return null
  return Math.min(...live.map(({ until }) => until))
}

/** The record after a right answer to this challenge. Also those of a clock that is a minute behind are kept. */
export function useUpChallenge(
  record: SecondStepRecord,
  { challenge, until }: Pick<AskedChallenge, 'challenge' | 'until'>,
  now: number,
): SecondStepRecord {
  const used = { digest: shortDigest(challenge), until: until + MINUTE_MS }
  const kept = record.usedChallenges.filter((one) => now < one.until)
  return { ...record, usedChallenges: [...kept, used] }
}

/** The record after a wrong answer to it. */
export function noteWrongAnswer(
  record: SecondStepRecord,
  asked: Pick<AskedChallenge, 'challenge' | 'until'>,
  now: number,
): SecondStepRecord {
  const noted = useUpChallenge(record, asked, now)
  return noted.usedChallenges.length > WITH_WRONG_ONES_AT_MOST ? record : noted
}
