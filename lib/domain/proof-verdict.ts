import type { Authenticator } from '../factors/factors.js'
import { clearConsecutive } from './attempts.js'
import type { Decision } from './decision.js'
import { namedDetail, type SecondStepEvent } from './event.js'
import { endMailReset } from './mail-reset.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'

/**
 * The verdict on a proof. `counted` is false for a replay, and where no code of its shape could be
 * right: these cost nothing.
 */
export type ProofVerdict =
  | { readonly kind: 'accepted'; readonly method: Method; readonly epoch: number }
  /** Nobody is signed in: this pending login must set up again. */
  | { readonly kind: 'setup-granted' }
  | { readonly kind: 'wrong-code'; readonly counted: boolean }
  | { readonly kind: 'blocked'; readonly until: number }
  | { readonly kind: 'not-enrolled' }
  /** A copy of a key was seen: every session and login of the user is over. */
  | { readonly kind: 'sign-in-again' }
  /**
   * No authenticator that could be asked has the code, and another could not be asked. It is a miss all the same:
   * otherwise one broken authenticator would make guesses at the others free.
   */
  | { readonly kind: 'failed'; readonly error: unknown }

/** The event of an accepted proof. */
export type CodeAccepted = Extract<SecondStepEvent, { type: 'code-accepted' }> & {
  readonly method: Method
}

/** An only device without a name says no more than the method does. */
export function acceptedBy(kept: Authenticator, isOneOfSeveral: boolean): CodeAccepted {
  const event = { type: 'code-accepted', method: kept.type } as const
  const isNamed = kept.name !== null || kept.serial !== null
  return isOneOfSeveral || isNamed ? { ...event, detail: namedDetail(kept) } : event
}

/**
 * A user who can give a proof needs no reset by mail, so an open one ends, whoever asked for it.
 */
export function accept(
  record: SecondStepRecord,
  accepted: CodeAccepted,
  others: readonly SecondStepEvent[],
  now: number,
): Decision<ProofVerdict> {
  const { method } = accepted
  const cleared = { ...record, attempts: clearConsecutive(record.attempts) }
  const { events, ...ended } = endMailReset(cleared, now)
  return {
    record: ended.record,
    answer: { kind: 'accepted', method, epoch: record.epoch },
    events: [accepted, ...events, ...others],
  }
}

/** A replay, or where nothing of its shape could be right: it costs nothing. */
export function uncounted(record: SecondStepRecord): Decision<ProofVerdict> {
  return unchanged(record, { kind: 'wrong-code', counted: false })
}

export function unchanged(record: SecondStepRecord, answer: ProofVerdict): Decision<ProofVerdict> {
  return { record, answer, events: [] }
}
