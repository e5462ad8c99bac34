import { acceptedOf, backupCodesFor, isAccepted } from '../domain/accepted-methods.js'
import type { Decision } from '../domain/decision.js'
import { withoutOvertaken } from '../domain/overtaken-setup.js'
import type { Policy, Subject } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import {
  type ConfirmSetupAnswer,
  confirmSetup,
  mayBeginSetup,
  type SetupInProgress,
  setupOf,
} from '../domain/setup.js'
import type { Generation } from '../domain/stamp.js'
import { stillMaySetUp } from '../domain/standing.js'
import type { CeremonyParts } from '../factors/ceremony.js'
import { type FactorMethod, mainFactorOf, type Proof } from '../factors/factors.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { BackupCodes } from './backup-codes.js'
import type { CodeLimits } from './code-limits.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { MountedRules } from './mounted-rules.js'
import type { TooMany } from './places.js'
import type { Records } from './records.js'
import { BYTES_OF_AN_ID, type SetupOwner } from './setup.js'

/** The outcome of the code that confirms a set-up. */
export type SetupConfirmed =
  | ({
      readonly kind: 'enrolled'
      readonly method: FactorMethod
      readonly backupCodes: readonly string[]
    } & Generation)
  | { readonly kind: 'wrong-code'; readonly clockOff: number | null }
  | NothingToConfirm
  | { readonly kind: 'malformed-request' | 'name-taken' }
  | TooMany
  | { readonly kind: 'sign-in-again' }

interface Confirming {
  readonly owner: string
  readonly type: SetupInProgress['type']
  /** The code, as the set-up's factor has read it. */
  readonly given: unknown
  /** The user's name for the authenticator, or null. */
  readonly name: string | null
  readonly policy: Policy
  readonly subject: Subject
  readonly requestInfo: RequestInfo
}

interface NothingToConfirm {
  /** `stronger-factor-required`: a rule accepts other kinds of authenticators only. */
  readonly kind: 'setup-expired' | 'already-enrolled' | 'stronger-factor-required'
}

interface Confirmation {
  readonly answer: ConfirmSetupAnswer | NothingToConfirm | { readonly kind: 'sign-in-again' }
  readonly backupCodes: readonly string[]
}

const REVOKED: Confirmation = { answer: { kind: 'sign-in-again' }, backupCodes: [] }

/** Confirms set-ups in progress. */
export class SetupConfirmations {
  readonly #records: Records
  readonly #limits: CodeLimits
  readonly #keys: KeysOfUsers
  readonly #backupCodes: BackupCodes
  readonly #system: System
  readonly #window: number
  readonly #ceremonies: CeremonyParts | null
  readonly #mountedRules: MountedRules

  constructor(parts: {
    records: Records
    limits: CodeLimits
    keys: KeysOfUsers
    backupCodes: BackupCodes
    system: System
    window: number
    /** Null if the host has no WebAuthn. */
    ceremonies: CeremonyParts | null
    mountedRules: MountedRules
  }) {
    this.#records = parts.records
    this.#limits = parts.limits
    this.#keys = parts.keys
    this.#backupCodes = parts.backupCodes
    this.#system = parts.system
    this.#window = parts.window
    this.#ceremonies = parts.ceremonies
    this.#mountedRules = parts.mountedRules
  }

  /** Confirms this login's set-up by one code of the new authenticator. */
  async confirm(
    { userId, owner, requestInfo, record: known, admission, policy, subject }: SetupOwner,
    attempt: { proof: Proof; name: string | null; ipKey: string | null; ipLimit: number },
  ): Promise<SetupConfirmed> {
    const judged = this.#judge(known, { owner, policy, subject }, this.#system.now())
    if ('kind' in judged) return judged
    const { setup } = judged
    const factor = mainFactorOf(setup.type)
    const reading = attempt.proof.find((one) => one.factor === factor)
    if (reading === undefined || !factor.fits(setup, reading.given)) {
      return { kind: 'malformed-request' }
    }

    const { name } = attempt
    const confirming = {
      owner,
      type: setup.type,
      given: reading.given,
      name,
      policy,
      subject,
      requestInfo,
    }
    const places = await this.#limits.takeForSetup(userId, attempt.ipKey, attempt.ipLimit)
    if (places.kind !== 'taken') return places
    const { answer, backupCodes } = await this.#records
      .change(
        userId,
        requestInfo,
        async (current, now): Promise<Decision<Confirmation>> =>
          stillMaySetUp(admission, { record: current, policy, subject }, now)
            ? this.#decide(current, confirming, now)
            : { record: current, answer: REVOKED, events: [] },
        known,
      )
      .catch((error: unknown) => {
        void places.giveBack('all')
        throw error
      })
    // A miss costs the address a place, and a set-up that was made costs the user one.
    const { kind } = answer
    void places.giveBack(kind === 'enrolled' ? 'address' : kind === 'wrong-code' ? 'user' : 'all')
    return answer.kind === 'enrolled' ? { ...answer, backupCodes } : answer
  }

  /** The set-up that may be confirmed, and the record with it; or why there is none. */
  #judge(
    stored: SecondStepRecord,
    { owner, policy, subject }: Pick<Confirming, 'owner' | 'policy' | 'subject'>,
    now: number,
  ): { readonly record: SecondStepRecord; readonly setup: SetupInProgress } | NothingToConfirm {
    const begun = setupOf(stored, owner, now)
    // The rule has come since it began.
    if (begun !== null && !isAccepted(acceptedOf(policy, subject), begun.type)) {
      return { kind: 'stronger-factor-required' }
    }
    const { rules } = this.#mountedRules
    const record = withoutOvertaken({ record: stored, policy, subject }, rules, now)
    const setup = setupOf(record, owner, now)
    if (setup !== null) return { record, setup }
    return { kind: mayBeginSetup(record, owner, now) ? 'setup-expired' : 'already-enrolled' }
  }

  async #decide(
    record: SecondStepRecord,
    { owner, type, given, name, policy, subject, requestInfo }: Confirming,
    now: number,
  ): Promise<Decision<Confirmation>> {
    const { userId } = record
    // Again: since the request has read it, the user may be bound to a rule, or another tab have begun anew.
    const judged = this.#judge(record, { owner, policy, subject }, now)
    if ('kind' in judged || judged.setup.type !== type) {
      const answer = 'kind' in judged ? judged : ({ kind: 'setup-expired' } as const)
      return { record, answer: { answer, backupCodes: [] }, events: [] }
    }
    const made = backupCodesFor(policy, subject) ? await this.#backupCodes.make(userId, now) : null
    const id = Buffer.from(this.#system.random(BYTES_OF_AN_ID)).toString('base64url')
    const decision = await confirmSetup(
      judged.record,
      { owner, given, id, name, backupCodes: made?.set ?? null },
      {
        now,
        window: this.#window,
        keys: this.#keys.of(userId, requestInfo),
        ...(this.#ceremonies && { ceremonies: { ...this.#ceremonies, asked: null } }),
      },
    )
    return {
      ...decision,
      answer: { answer: decision.answer, backupCodes: made?.codes ?? [] },
    }
  }
}
