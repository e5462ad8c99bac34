import type { OtpParameters } from '../domain/authenticator.js'
import type { TypedCode } from '../domain/code.js'
import type { Decision } from '../domain/decision.js'
import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import {
  type BeginSetupAnswer,
  beginKeyChange,
  beginSetup,
  type ConfirmSetupAnswer,
  confirmSetup,
  mayBeginSetup,
  setupExpiresAt,
  setupOf,
} from '../domain/setup.js'
import { type Admission, type Footing, stillAdmitted } from '../domain/standing.js'
import type { System } from '../ports/system.js'
import type { Occasion } from './announcer.js'
import type { BackupCodes } from './backup-codes.js'
import type { Challenge, CodeAnswer, CodeAttempt } from './challenge.js'
import type { Limits } from './limits.js'
import type { Records } from './records.js'
import type { Vault } from './vault.js'

const BYTES_OF_A_SECRET = 20

/** Who sets up, and in which login. */
export interface SetupOwner extends Footing {
  readonly userId: string
  /** Id of the pending login or of the stamp. */
  readonly owner: string
  readonly admission: Admission
  readonly occasion: Occasion
}

/** A key to show: the secret leaves the server here and nowhere else. */
export interface ShownKey {
  readonly parameters: OtpParameters
  readonly secret: Uint8Array
  /** When the set-up in progress is over, in milliseconds; null for a live key. */
  readonly expiresAt: number | null
}

/** A set-up to show. */
export type SetupShown =
  | ({ readonly kind: 'shown' } & ShownKey)
  | { readonly kind: 'already-enrolled' | 'sign-in-again' }

/** What became of the code that was to confirm a set-up. */
export type SetupConfirmed =
  | { readonly kind: 'enrolled'; readonly epoch: number; readonly backupCodes: readonly string[] }
  | { readonly kind: 'wrong-code'; readonly clockOff: number | null }
  | { readonly kind: 'setup-expired' | 'already-enrolled' | 'malformed-request' }
  | { readonly kind: 'too-many-attempts'; readonly retryAfter: number }
  | { readonly kind: 'sign-in-again' }

interface Confirming {
  readonly owner: string
  readonly code: string
  readonly policy: Policy
  readonly occasion: Occasion
}

interface Confirmation {
  readonly answer: ConfirmSetupAnswer | { readonly kind: 'sign-in-again' }
  readonly backupCodes: readonly string[]
}

const REVOKED: Confirmation = { answer: { kind: 'sign-in-again' }, backupCodes: [] }

/** Binds an authenticator: shows a secret of the server's, proves it by one code. */
export class Setup {
  readonly #records: Records
  readonly #challenge: Challenge
  readonly #limits: Limits
  readonly #vault: Vault
  readonly #backupCodes: BackupCodes
  readonly #system: System
  readonly #parameters: OtpParameters
  readonly #window: number

  constructor(parts: {
    records: Records
    challenge: Challenge
    limits: Limits
    vault: Vault
    backupCodes: BackupCodes
    system: System
    parameters: OtpParameters
    window: number
  }) {
    this.#records = parts.records
    this.#challenge = parts.challenge
    this.#limits = parts.limits
    this.#vault = parts.vault
    this.#backupCodes = parts.backupCodes
    this.#system = parts.system
    this.#parameters = parts.parameters
    this.#window = parts.window
  }

  /** Begins a set-up, or shows again the one that this login has begun. */
  async show({
    userId,
    owner,
    occasion,
    record,
    admission,
    policy,
    subject,
  }: SetupOwner): Promise<SetupShown> {
    const context = { purpose: 'setup', userId } as const
    const begun = await this.#records.change(
      userId,
      occasion,
      async (current, now): Promise<Decision<BeginSetupAnswer | { kind: 'sign-in-again' }>> => {
        // An ended login that is slow to ask must not take the place of the owner's set-up.
        if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
          return { record: current, answer: { kind: 'sign-in-again' }, events: [] }
        }
        const present = setupOf(current, owner, now)
        const secret =
          present?.secret ??
          (await this.#vault.seal(this.#system.random(BYTES_OF_A_SECRET), context))
        return beginSetup(current, { owner, secret, parameters: this.#parameters }, now)
      },
      record,
    )
    if (begun.kind !== 'in-progress') return begun
    const { secret } = await this.#vault.open(begun.setup.secret, context, occasion)
    const expiresAt = setupExpiresAt(begun.setup)
    return { kind: 'shown', parameters: begun.setup, secret, expiresAt }
  }

  /** Begins a change of key by a code; the old authenticator works until the new one is confirmed. */
  async changeKey(attempt: CodeAttempt, owner: string): Promise<CodeAnswer<ShownKey>> {
    const context = { purpose: 'setup', userId: attempt.userId } as const
    const fresh = this.#system.random(BYTES_OF_A_SECRET)
    const secret = await this.#vault.seal(fresh, context)
    const command = { owner, secret, parameters: this.#parameters }
    return this.#challenge.answerAnd(attempt, (record, now) => {
      const { answer: setup, ...decided } = beginKeyChange(record, command, now)
      const expiresAt = setupExpiresAt(setup)
      return { ...decided, answer: { parameters: setup, secret: fresh, expiresAt } }
    })
  }

  /** Shows the live key again, by a code: to put it on a second device. */
  async showKey(attempt: CodeAttempt): Promise<CodeAnswer<ShownKey | null>> {
    const { userId, occasion } = attempt
    return this.#challenge.answerAnd(
      attempt,
      async (record): Promise<Decision<ShownKey | null>> => {
        const { authenticator } = record
        if (authenticator === null) return { record, answer: null, events: [] }
        const context = { purpose: 'authenticator', userId } as const
        const { secret } = await this.#vault.open(authenticator.secret, context, occasion)
        return {
          record,
          answer: { parameters: authenticator, secret, expiresAt: null },
          events: [{ type: 'key-shown', method: null }],
        }
      },
    )
  }

  /** Confirms this login's set-up by one code of the new authenticator. */
  async confirm(
    { userId, owner, occasion, record, admission, policy, subject }: SetupOwner,
    attempt: { code: TypedCode; ipKey: string | null; ipLimit: number },
  ): Promise<SetupConfirmed> {
    const { code } = attempt
    const now = this.#system.now()
    const setup = setupOf(record, owner, now)
    if (setup === null) {
      return { kind: mayBeginSetup(record, owner, now) ? 'setup-expired' : 'already-enrolled' }
    }
    if (code.kind !== 'otp' || code.code.length !== setup.digits) {
      return { kind: 'malformed-request' }
    }

    const places = await this.#limits.takeForSetup(attempt.ipKey, attempt.ipLimit)
    if (places.kind !== 'taken') return places
    const { answer, backupCodes } = await this.#records
      .change(
        userId,
        occasion,
        async (current, now): Promise<Decision<Confirmation>> =>
          stillAdmitted(admission, { record: current, policy, subject }, now)
            ? this.#decide(current, { owner, code: code.code, policy, occasion }, now)
            : { record: current, answer: REVOKED, events: [] },
        record,
      )
      .catch((error: unknown) => {
        void places.giveBack('address')
        throw error
      })
    if (answer.kind !== 'wrong-code') void places.giveBack('address')
    return answer.kind === 'enrolled' ? { ...answer, backupCodes } : answer
  }

  async #decide(
    record: SecondStepRecord,
    { owner, code, policy, occasion }: Confirming,
    now: number,
  ): Promise<Decision<Confirmation>> {
    const { userId } = record
    const setup = setupOf(record, owner, now)
    if (setup === null) {
      const kind = mayBeginSetup(record, owner, now) ? 'setup-expired' : 'already-enrolled'
      return { record, answer: { answer: { kind }, backupCodes: [] }, events: [] }
    }
    const { secret } = await this.#vault.open(setup.secret, { purpose: 'setup', userId }, occasion)
    const liveSecret = await this.#vault.seal(secret, { purpose: 'authenticator', userId })
    const made = policy.backupCodes ? await this.#backupCodes.make(userId, now) : null
    const decision = confirmSetup(
      record,
      { owner, code, secret, liveSecret, backupCodes: made?.set ?? null, window: this.#window },
      now,
    )
    return {
      ...decision,
      answer: { answer: decision.answer, backupCodes: made?.codes ?? [] },
    }
  }
}
