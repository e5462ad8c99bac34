import { answerBackupCode, answerOtp, type CodeVerdict } from '../domain/challenge.js'
import type { TypedCode } from '../domain/code.js'
import type { Decision } from '../domain/decision.js'
import {
  answerOneTimeCode,
  isOneTimeCode,
  type OneTimeCodeVerdict,
} from '../domain/one-time-code.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { SecondStepRecord } from '../domain/record.js'
import { type Admission, type Footing, stillAdmitted } from '../domain/standing.js'
import type { Digester } from '../ports/digester.js'
import { within } from '../ports/within.js'
import type { Occasion } from './announcer.js'
import type { Limits } from './limits.js'
import type { OneTimeCodes } from './one-time-codes.js'
import type { Records } from './records.js'
import type { Vault } from './vault.js'

/** A code that somebody gave, and in whose name. Record and policy are as this request has read them. */
export interface CodeAttempt extends Footing {
  readonly userId: string
  readonly code: TypedCode
  /** The pending login or the session it was given in. */
  readonly admission: Admission
  /** Canonical address to count under, or null where none can be told. */
  readonly ipKey: string | null
  readonly ipLimit: number
  readonly occasion: Occasion
}

/** What is to be done with the record once a code was accepted, in the same write. */
export type FollowUp<Result> = (
  record: SecondStepRecord,
  now: number,
) => Decision<Result> | Promise<Decision<Result>>

type Accepted = Extract<CodeVerdict, { kind: 'accepted' }>

type Verdict<Result> =
  | Exclude<CodeVerdict, Accepted>
  | (Accepted & { readonly result: Result })
  | OneTimeCodeVerdict
  | Revoked

/** What became of a code. */
export type CodeAnswer<Result = undefined> =
  | (Accepted & { readonly result: Result })
  /** A one-time code: nobody is signed in, this pending login must set up anew. */
  | { readonly kind: 'setup-granted' }
  | { readonly kind: 'not-enrolled' }
  | { readonly kind: 'wrong-code' }
  | { readonly kind: 'malformed-request' }
  | { readonly kind: 'switched-off' }
  | { readonly kind: 'sign-in-again' }
  | { readonly kind: 'too-many-attempts'; readonly retryAfter: number }

type Revoked = Extract<CodeAnswer, { kind: 'sign-in-again' }>

/** Answers codes, at the challenge and wherever else one is asked for, from one budget. */
export class Challenge {
  readonly #records: Records
  readonly #limits: Limits
  readonly #vault: Vault
  readonly #digester: Digester
  readonly #oneTimeCodes: OneTimeCodes
  readonly #window: number
  readonly #now: () => number

  constructor(parts: {
    records: Records
    limits: Limits
    vault: Vault
    digester: Digester
    oneTimeCodes: OneTimeCodes
    window: number
    now: () => number
  }) {
    this.#records = parts.records
    this.#limits = parts.limits
    this.#vault = parts.vault
    this.#digester = parts.digester
    this.#oneTimeCodes = parts.oneTimeCodes
    this.#window = parts.window
    this.#now = parts.now
  }

  /**
   * Answers a code. Places in the limits are taken before the verdict and given back when it was no
   * miss, so that no number of parallel guesses gets more verdicts than the limits have places.
   */
  answer(attempt: CodeAttempt): Promise<CodeAnswer> {
    return this.answerAnd(attempt, (record) => ({ record, answer: undefined, events: [] }))
  }

  /** Answers a code, and does what it was given for: both are written, or neither is. */
  async answerAnd<Result>(
    attempt: CodeAttempt,
    followUp: FollowUp<Result>,
  ): Promise<CodeAnswer<Result>> {
    const unasked = notToBeAsked(attempt)
    if (unasked !== null) return { kind: unasked }

    const pendingId = pendingOf(attempt)?.id ?? null
    const places = await this.#limits.takeForCode({ ...attempt, pendingId })
    if (places.kind !== 'taken') return places
    const verdict = await this.#verdict(attempt, followUp).catch((error: unknown) => {
      void places.giveBack('all')
      throw error
    })
    if (verdict.kind === 'accepted') {
      // The pending login is over with it; the response need not wait for the address's place.
      void places.giveBack('address')
      return verdict
    }
    if (verdict.kind === 'wrong-code' && verdict.counted) await places.missed()
    else await places.giveBack('all')
    if (verdict.kind !== 'blocked') return verdict
    const seconds = Math.ceil((verdict.until - this.#now()) / 1000)
    return { kind: 'too-many-attempts', retryAfter: Math.max(1, seconds) }
  }

  #verdict<Result>(attempt: CodeAttempt, followUp: FollowUp<Result>): Promise<Verdict<Result>> {
    const { userId, code, occasion, record, admission, policy, subject } = attempt
    return this.#records.change<Verdict<Result>>(
      userId,
      occasion,
      async (current, now) => {
        if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
          return { record: current, answer: { kind: 'sign-in-again' }, events: [] }
        }
        const { answer, ...decided } =
          code.kind === 'otp'
            ? await this.#decideOtp(current, attempt, now)
            : await this.#decideLookUpCode(current, attempt, now)
        if (answer.kind !== 'accepted') return { ...decided, answer }
        const followed = await followUp(decided.record, now)
        return {
          record: followed.record,
          answer: { ...answer, epoch: followed.record.epoch, result: followed.answer },
          events: [...decided.events, ...followed.events],
        }
      },
      record,
    )
  }

  async #decideOtp(
    record: SecondStepRecord,
    { code: { code }, occasion }: CodeAttempt,
    now: number,
  ): Promise<Decision<CodeVerdict>> {
    const { authenticator, userId } = record
    if (authenticator === null) return { record, answer: { kind: 'not-enrolled' }, events: [] }
    const context = { purpose: 'authenticator', userId } as const
    const opened = await this.#vault.open(authenticator.secret, context, occasion)
    const resealed = opened.stale ? await this.#vault.seal(opened.secret, context) : null
    const { secret } = opened
    return answerOtp(record, { code, secret, window: this.#window, resealed }, now)
  }

  /** A one-time code looks like a backup code. Only a pending login may be given one. */
  async #decideLookUpCode(
    record: SecondStepRecord,
    attempt: CodeAttempt,
    now: number,
  ): Promise<Decision<CodeVerdict | OneTimeCodeVerdict>> {
    const { code } = attempt.code
    const pending = pendingOf(attempt)
    if (pending === null) return this.#decideBackupCode(record, code, now)
    const digests = await this.#oneTimeCodes.digestsOf(code, record)
    const noBackupCode = record.authenticator === null || !attempt.policy.backupCodes
    return noBackupCode || isOneTimeCode(record, digests)
      ? answerOneTimeCode(record, { digests, pending }, now)
      : this.#decideBackupCode(record, code, now)
  }

  async #decideBackupCode(
    record: SecondStepRecord,
    code: string,
    now: number,
  ): Promise<Decision<CodeVerdict>> {
    const { backupCodes, userId } = record
    if (backupCodes === null) return answerBackupCode(record, { digests: [] }, now)
    const context = { purpose: 'backup-code', userId, setId: backupCodes.id } as const
    const digests = await within('the key ring', () => this.#digester.digests(code, context))
    return answerBackupCode(record, { digests }, now)
  }
}

function pendingOf({ admission }: CodeAttempt): PendingLogin | null {
  return admission.kind === 'pending' ? admission.pending : null
}

/** Why a code is refused unseen, at no cost, or null. */
function notToBeAsked(
  attempt: CodeAttempt,
): 'not-enrolled' | 'malformed-request' | 'switched-off' | null {
  const { code, record, policy } = attempt
  const { authenticator, oneTimeCodes } = record
  if (code.kind === 'otp') {
    if (authenticator === null) return 'not-enrolled'
    return code.code.length === authenticator.digits ? null : 'malformed-request'
  }
  // A reset whose time is over leaves a login nothing to give but a one-time code.
  const oneTime = pendingOf(attempt) !== null && oneTimeCodes.length > 0
  if (authenticator === null && !oneTime) return 'not-enrolled'
  return policy.backupCodes || oneTime ? null : 'switched-off'
}
