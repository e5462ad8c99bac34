import { CHALLENGE_LASTS } from '../factors/challenge.js'
import { isGoodUntil } from '../factors/clock.js'
import type { Moment } from '../factors/factor.js'
import { type AnyKeyFactor, type Authenticator, isAuthenticator } from '../factors/factors.js'
import { isEnrolled } from './authenticators.js'
import type { Decision } from './decision.js'
import { namedDetail } from './event.js'
import { accept, acceptedBy, type ProofVerdict, unchanged, uncounted } from './proof-verdict.js'
import type { SecondStepRecord } from './record.js'
import { raiseEpoch } from './stamp.js'
import {
  fullOfChallenges,
  isUsedChallenge,
  noteWrongAnswer,
  useUpChallenge,
} from './used-challenges.js'

/** An answer to a challenge. */
interface KeyReading {
  readonly factor: AnyKeyFactor
  readonly given: unknown
}

/** Why an answer is not judged, or null. That of an enrolled user without a key is judged, and is wrong. */
export function keyRefusal(
  record: SecondStepRecord,
  factor: AnyKeyFactor,
  given: unknown,
): 'malformed-request' | 'not-enrolled' | null {
  if (!isEnrolled(record)) return 'not-enrolled'
  const bound = keysOf(record, factor)
  return bound.every((kept) => factor.fits(kept, given)) ? null : 'malformed-request'
}

/**
 * Judges the answer of a key. The challenge is used up by the same write, whatever the verdict: so one
 * answer opens one door, however often and to however many servers it is sent. Nobody can guess a signature,
 * so a wrong one locks nothing, and no lock of codes stops a key.
 */
export async function judgeKey(
  record: SecondStepRecord,
  { factor, given }: KeyReading,
  moment: Moment,
): Promise<Decision<ProofVerdict>> {
  const { now } = moment
  const asked = moment.ceremonies?.asked ?? null
  const challenge = factor.challengeOf(given)
  if (isUsedChallenge(record, challenge)) return uncounted(record)
  if (asked === null || challenge !== asked.challenge) return wrong(record, factor)
  const until = fullOfChallenges(record, now)
  if (until !== null) return unchanged(record, { kind: 'blocked', until })
  const spent = useUpChallenge(record, asked, now)
  const missed = noteWrongAnswer(record, asked, now)
  if (!isGoodUntil(asked.until, CHALLENGE_LASTS, now)) return wrong(missed, factor)
  for (const kept of keysOf(record, factor)) {
    const answer = await factor.answer(kept, given, moment)
    if (answer.kind === 'used' || answer.kind === 'wrong' || !isAuthenticator(answer.kept)) continue
    const next = { ...spent, authenticators: put(record.authenticators, kept, answer.kept) }
    if (answer.kind === 'copied') return suspended(next, answer.kept)
    const accepted = acceptedBy(answer.kept, record.authenticators.length > 1)
    return accept(next, accepted, [], now)
  }
  return wrong(missed, factor)
}

function keysOf({ authenticators }: SecondStepRecord, factor: AnyKeyFactor) {
  return authenticators.filter(({ type }) => type === factor.method)
}

function put(
  authenticators: readonly Authenticator[],
  before: Authenticator,
  after: Authenticator,
): readonly Authenticator[] {
  return authenticators.map((one) => (one === before ? after : one))
}

function wrong(record: SecondStepRecord, { method }: AnyKeyFactor): Decision<ProofVerdict> {
  return {
    record,
    answer: { kind: 'wrong-code', counted: true },
    events: [{ type: 'wrong-code', method }],
  }
}

/**
 * The signature was good, so it is no guess; whoever sent it, the owner is told. The other of the two may have signed in
 * before. So every session ends, as after any authenticator that is gone, and with them this login.
 */
function suspended(record: SecondStepRecord, kept: Authenticator): Decision<ProofVerdict> {
  return {
    record: raiseEpoch(record),
    answer: { kind: 'sign-in-again' },
    events: [{ type: 'authenticator-suspended', method: kept.type, detail: namedDetail(kept) }],
  }
}
