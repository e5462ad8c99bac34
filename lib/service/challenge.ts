import { acceptedOf } from '../domain/accepted-methods.js'
import type { Decision } from '../domain/decision.js'
import { missesLeft } from '../domain/miss-budget.js'
import { endLogin, type PendingLogin } from '../domain/pending-login.js'
import {
  acceptedInstead,
  judgeProof,
  type ProofContext,
  type ProofRefusal,
  proofRefusal,
} from '../domain/proof.js'
import type { ProofVerdict } from '../domain/proof-verdict.js'
import type { SecondStepRecord } from '../domain/record.js'
import { type Generation, type Method, renewStamp } from '../domain/stamp.js'
import { type Admission, stillAdmitted, type UserContext } from '../domain/standing.js'
import { TOUCHES_NOTHING, type Touches } from '../domain/touches.js'
import { backupCodesLeft } from '../factors/backup-codes/kept.js'
import type { AskedChallenge, CeremonyParts } from '../factors/ceremony.js'
import type { FactorMethod, Proof } from '../factors/factors.js'
import type { RequestInfo } from './announcer.js'
import type { CodeLimits } from './code-limits.js'
import type { GuessWarnings } from './guess-warnings.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { Measurements } from './measurements.js'
import type { MountedRules } from './mounted-rules.js'
import type { Records } from './records.js'

/** A proof, and the login that it was given in. Record and policy are as this request read them. */
export interface ProofAttempt extends UserContext {
  readonly userId: string
  readonly proof: Proof
  /** The pending login or the session it was given in. */
  readonly admission: Admission
  /** The challenge that the session has put to the user's keys, and that may be answered now. */
  readonly asked?: AskedChallenge | null
  /** Canonical address to count under, or null where none can be told. */
  readonly ipKey: string | null
  readonly ipLimit: number
  readonly requestInfo: RequestInfo
}

/** The change of the record when a proof is accepted, in the same write. */
export type FollowUp<Result> = (
  record: SecondStepRecord,
  now: number,
  /** What the proof was given by. */
  method: Method,
) => Decision<Result> | Promise<Decision<Result>>

/** The reasons for which an action is refused, whatever the proof. */
export type ActionRefusal =
  | 'required-by-policy'
  | 'switched-off'
  /** A rule accepts other kinds of authenticators only. */
  | 'stronger-factor-required'
  /** The authenticator that it is about is gone. */
  | 'not-found'
  /** The user may have no further authenticator. */
  | 'already-enrolled'

/**
 * Called for each try of the write, before the proof is judged, so that a refused one costs
 * nothing.
 */
export type Objection = (record: SecondStepRecord) => Promise<ActionRefusal | null>

const NO_OBJECTION = async () => null

interface Accepted<Result> extends Extract<ProofVerdict, { kind: 'accepted' }>, Generation {
  readonly backupCodesLeft: number
  /** It was a backup code of a set that an admin has seen. */
  readonly seenByAdmin: boolean
  readonly result: Result
}

interface Wrong extends Extract<ProofVerdict, { kind: 'wrong-code' }> {
  readonly missesLeft: number
}

type Verdict<Result> =
  | Exclude<ProofVerdict, { kind: 'accepted' | 'wrong-code' }>
  | Wrong
  | Accepted<Result>
  | Revoked
  | { readonly kind: ActionRefusal }

/** The outcome of a proof. */
export type ProofAnswer<Result = undefined> =
  | Accepted<Result>
  /** A one-time code: nobody is signed in, and this pending login must set up again. */
  | { readonly kind: 'setup-granted' }
  | { readonly kind: ProofRefusal | ActionRefusal | 'sign-in-again' }
  /** `accepts`: what would do. Absent above: that is up to the rules of the user's roles. */
  | {
      readonly kind: 'stronger-factor-required'
      readonly accepts: readonly FactorMethod[]
    }
  /**
   * `triesLeft`: wrong codes that the pending login may still have; null: it was given in a session.
   * `missesLeft`: those after which the authenticators are locked; 0: they are.
   */
  | {
      readonly kind: 'wrong-code'
      readonly triesLeft: number | null
      readonly missesLeft: number
    }
  /** `blockedUntil`: the authenticator's wait or lock, in milliseconds; null: another limit. */
  | {
      readonly kind: 'too-many-attempts'
      readonly retryAfter: number
      readonly blockedUntil: number | null
      /** Set if it is another limit: this was done often enough for the day. */
      readonly enoughToday?: true
    }

type Revoked = { readonly kind: 'sign-in-again' }

/** Answers proofs at the challenge and at every other place that needs one, with one budget. */
export class Challenge {
  readonly #records: Records
  readonly #limits: CodeLimits
  readonly #keys: KeysOfUsers
  readonly #guessWarnings: GuessWarnings | null
  readonly #window: number
  readonly #mountedRules: MountedRules
  readonly #ceremonies: CeremonyParts | null
  readonly #measurements: Pick<Measurements, 'attempt'> | null
  readonly #now: () => number

  constructor(parts: {
    records: Records
    limits: CodeLimits
    keys: KeysOfUsers
    /** Null if the host sends no mails. */
    guessWarnings: GuessWarnings | null
    window: number
    /** Null if the host has no WebAuthn. */
    ceremonies: CeremonyParts | null
    /** What the app's routes accept. */
    mountedRules: MountedRules
    /** Default: nothing is measured. */
    measurements?: Pick<Measurements, 'attempt'> | null
    now: () => number
  }) {
    this.#records = parts.records
    this.#limits = parts.limits
    this.#keys = parts.keys
    this.#guessWarnings = parts.guessWarnings
    this.#window = parts.window
    this.#mountedRules = parts.mountedRules
    this.#ceremonies = parts.ceremonies
    this.#measurements = parts.measurements ?? null
    this.#now = parts.now
  }

  /**
   * Answers a proof. Takes places in the limits before the verdict, and gives them back if it was
   * no miss, without waiting for it. So parallel guesses never get more verdicts than the limits have
   * places.
   */
  answer(attempt: ProofAttempt): Promise<ProofAnswer> {
    return this.answerAnd(attempt, (record) => ({ record, answer: undefined, events: [] }))
  }

  /** The same where the session gets a new id: what holds the stamp as it was is over with this write. */
  renew(attempt: ProofAttempt, stampId: string): Promise<ProofAnswer> {
    return this.answerAnd(attempt, (record) => {
      return { record: renewStamp(record, stampId), answer: undefined, events: [] }
    })
  }

  /** How many more wrong codes lock the user's authenticators. 0: they are locked. */
  missesLeft(record: SecondStepRecord): number {
    return missesLeft(record, this.#window, this.#now())
  }

  /** Answers a proof and runs its action: both are written, or neither. */
  answerAnd<Result>(
    attempt: ProofAttempt,
    followUp: FollowUp<Result>,
    objection: Objection = NO_OBJECTION,
    touches: Touches = TOUCHES_NOTHING,
  ): Promise<ProofAnswer<Result>> {
    const answering = this.#answerAnd(attempt, followUp, objection, touches)
    return this.#measurements === null ? answering : this.#measurements.attempt(answering)
  }

  async #answerAnd<Result>(
    attempt: ProofAttempt,
    followUp: FollowUp<Result>,
    objection: Objection,
    touches: Touches,
  ): Promise<ProofAnswer<Result>> {
    const context = this.#contextOf(attempt, touches)
    const unasked = proofRefusal(attempt.proof, attempt.record, context)
    if (unasked === 'stronger-factor-required') {
      return { kind: unasked, accepts: acceptedInstead(attempt.proof, attempt.record, context) }
    }
    if (unasked !== null) return { kind: unasked }

    const { userId, ipKey, ipLimit, policy, requestInfo } = attempt
    const pendingId = pendingOf(attempt)?.id ?? null
    const asked = { userId, pendingId, ipKey, ipLimit, policy, requestInfo }
    const places = await this.#limits.takeForCode(asked)
    if (places.kind === 'too-many-attempts') return { ...places, blockedUntil: null }
    if (places.kind !== 'taken') return places
    const verdict = await this.#verdict(
      attempt,
      { followUp, objection, context },
      places.last,
    ).catch((error: unknown) => {
      void places.giveBack()
      throw error
    })
    if (verdict.kind === 'accepted') {
      // The pending login is over with it; the response need not wait for the address's place.
      places.giveBackAddressLater()
      return verdict
    }
    // The session has still to be saved within the two seconds.
    if (!isMiss(verdict)) void places.giveBack()
    else {
      this.#guessWarnings?.missed(attempt.userId, attempt.requestInfo)
      await places.missed()
    }
    if (verdict.kind === 'failed') throw verdict.error
    if (verdict.kind === 'wrong-code') {
      // A replay costs nothing: its place was given back.
      const back = verdict.counted ? 0 : 1
      const triesLeft = places.left === null ? null : places.left + back
      return { kind: 'wrong-code', triesLeft, missesLeft: verdict.missesLeft }
    }
    if (verdict.kind !== 'blocked') return verdict
    const retryAfter = Math.max(1, Math.ceil((verdict.until - this.#now()) / 1000))
    return { kind: 'too-many-attempts', retryAfter, blockedUntil: verdict.until }
  }

  #contextOf(attempt: ProofAttempt, touches: Touches): ProofContext {
    const { policy, subject } = attempt
    const accepted = acceptedOf(policy, subject)
    const routes = this.#mountedRules.rules
    return { policy, pending: pendingOf(attempt), accepted, routes, touches }
  }

  /** @param last whether the pending login has no place after this one */
  #verdict<Result>(
    attempt: ProofAttempt,
    {
      followUp,
      objection,
      context,
    }: { followUp: FollowUp<Result>; objection: Objection; context: ProofContext },
    last: boolean,
  ): Promise<Verdict<Result>> {
    const { userId, proof, requestInfo, record, admission, policy, subject } = attempt
    const keys = this.#keys.of(userId, requestInfo)
    return this.#records.change<Verdict<Result>>(
      userId,
      requestInfo,
      async (current, now) => {
        if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
          return { record: current, answer: { kind: 'sign-in-again' }, events: [] }
        }
        const refusal = await objection(current)
        if (refusal !== null) return { record: current, answer: { kind: refusal }, events: [] }
        const { asked = null } = attempt
        const ceremonies = this.#ceremonies && { ceremonies: { ...this.#ceremonies, asked } }
        const moment = { now, window: this.#window, keys, ...ceremonies }
        const judged = await judgeProof(current, proof, context, moment)
        const { answer } = judged
        if (answer.kind !== 'accepted') {
          const pending = last && isMiss(answer) ? pendingOf(attempt) : null
          const { events } = judged
          const next = withoutLogin(judged.record, pending, now)
          if (answer.kind !== 'wrong-code') return { record: next, answer, events }
          const left = missesLeft(next, this.#window, now)
          return { record: next, answer: { ...answer, missesLeft: left }, events }
        }
        // The login goes on as a session. A slow request may write the pending one back.
        const finished = withoutLogin(judged.record, pendingOf(attempt), now)
        const followed = await followUp(finished, now, answer.method)
        const { backupCodes } = judged.record
        return {
          record: followed.record,
          answer: {
            kind: answer.kind,
            method: answer.method,
            epoch: followed.record.epoch,
            version: followed.record.version,
            backupCodesLeft: backupCodesLeft(backupCodes, keys.keyIds),
            seenByAdmin: answer.method === 'backup-code' && backupCodes?.seenByAdmin === true,
            result: followed.answer,
          },
          events: [...judged.events, ...followed.events],
        }
      },
      record,
      // Every accepted proof changes it.
      { confirms: false },
    )
  }
}

/** Whether it was a guess at an authenticator, which costs a try. */
function isMiss(verdict: Verdict<unknown> | ProofVerdict): boolean {
  return verdict.kind === 'failed' || (verdict.kind === 'wrong-code' && verdict.counted)
}

function withoutLogin(
  record: SecondStepRecord,
  pending: PendingLogin | null,
  now: number,
): SecondStepRecord {
  return pending === null ? record : endLogin(record, pending, now)
}

function pendingOf({ admission }: ProofAttempt): PendingLogin | null {
  return admission.kind === 'pending' ? admission.pending : null
}
