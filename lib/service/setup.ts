import { hasNoRoom } from '../domain/authenticators.js'
import type { Decision } from '../domain/decision.js'
import { namedDetail, type SecondStepEvent } from '../domain/event.js'
import { authenticatorById, keyShown } from '../domain/own-authenticators.js'
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
import type { Replaced } from '../domain/setup-place.js'
import type { Generation } from '../domain/stamp.js'
import { type Admission, stillAdmitted, type UserContext } from '../domain/standing.js'
import {
  type Authenticator,
  type FactorMethod,
  mainFactorOf,
  makeUnproven,
  type Proof,
  type UnprovenAuthenticator,
} from '../factors/factors.js'
import type { HotpParameters } from '../factors/hotp/kept.js'
import type { OtpParameters } from '../factors/otp/parameters.js'
import { BYTES_OF_A_SECRET } from '../factors/totp/make.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { BackupCodes } from './backup-codes.js'
import type { Challenge, FollowUp, Objection, ProofAnswer, ProofAttempt } from './challenge.js'
import type { CodeLimits } from './code-limits.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { TooMany } from './places.js'
import type { Records } from './records.js'

type AuthenticatorType = Authenticator['type']

/** Enough to tell the ten authenticators of a user apart. */
export const BYTES_OF_AN_ID = 6

/** The user and the login of a set-up. */
export interface SetupOwner extends UserContext {
  readonly userId: string
  /** Id of the pending login or of the stamp. */
  readonly owner: string
  readonly admission: Admission
  readonly requestInfo: RequestInfo
}

/** A key to show: the secret leaves the server here and nowhere else. */
export interface ShownKey {
  readonly parameters:
    | (OtpParameters & { readonly type: 'totp' })
    | (HotpParameters & { readonly type: 'hotp'; readonly counter: number })
  readonly secret: Uint8Array
  /** When the set-up in progress is over, in milliseconds; null for a live key. */
  readonly expiresAt: number | null
}

/** A set-up to show. */
export type SetupShown =
  | ({ readonly kind: 'shown' } & ShownKey)
  | { readonly kind: 'already-enrolled' | 'sign-in-again' | 'switched-off' }

/** The outcome of the code that confirms a set-up. */
export type SetupConfirmed =
  | ({
      readonly kind: 'enrolled'
      readonly method: FactorMethod
      readonly backupCodes: readonly string[]
    } & Generation)
  | { readonly kind: 'wrong-code'; readonly clockOff: number | null }
  | { readonly kind: 'setup-expired' | 'already-enrolled' | 'malformed-request' | 'name-taken' }
  | TooMany
  | { readonly kind: 'sign-in-again' }

interface Confirming {
  readonly owner: string
  /** The code, as the set-up's factor has read it. */
  readonly given: unknown
  /** The user's name for the authenticator, or null. */
  readonly name: string | null
  readonly policy: Policy
  readonly requestInfo: RequestInfo
}

interface Confirmation {
  readonly answer: ConfirmSetupAnswer | { readonly kind: 'sign-in-again' }
  readonly backupCodes: readonly string[]
}

const REVOKED: Confirmation = { answer: { kind: 'sign-in-again' }, backupCodes: [] }

/** Binds an authenticator: shows a secret that the server made, and confirms it by one code. */
export class Setup {
  readonly #records: Records
  readonly #challenge: Challenge
  readonly #limits: CodeLimits
  readonly #keys: KeysOfUsers
  readonly #backupCodes: BackupCodes
  readonly #system: System
  readonly #parameters: OtpParameters
  readonly #types: readonly AuthenticatorType[]
  readonly #window: number

  constructor(parts: {
    records: Records
    challenge: Challenge
    limits: CodeLimits
    keys: KeysOfUsers
    backupCodes: BackupCodes
    system: System
    parameters: OtpParameters
    types: readonly AuthenticatorType[]
    window: number
  }) {
    this.#records = parts.records
    this.#challenge = parts.challenge
    this.#limits = parts.limits
    this.#keys = parts.keys
    this.#backupCodes = parts.backupCodes
    this.#system = parts.system
    this.#parameters = parts.parameters
    this.#types = parts.types
    this.#window = parts.window
  }

  /**
   * Begins a set-up, or shows again the one that this login has begun.
   *
   * @param type null: that of the one in progress, or else the first that the host allows
   */
  async show(
    { userId, owner, requestInfo, record, admission, policy, subject }: SetupOwner,
    type: AuthenticatorType | null,
  ): Promise<SetupShown> {
    if (type !== null && !this.#types.includes(type)) return { kind: 'switched-off' }
    const keys = this.#keys.of(userId, requestInfo)
    const begun = await this.#records.change(
      userId,
      requestInfo,
      async (current, now): Promise<Decision<BeginSetupAnswer | { kind: 'sign-in-again' }>> => {
        // A late request of an ended login must not replace the owner's set-up.
        if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
          return { record: current, answer: { kind: 'sign-in-again' }, events: [] }
        }
        const present = setupOf(current, owner, now)
        const continues = present !== null && (type ?? present.type) === present.type
        const unproven = continues ? present : await this.#make(userId, type)
        return beginSetup(current, { owner, unproven }, now)
      },
      record,
    )
    if (begun.kind !== 'in-progress') return begun
    const { secret } = await keys.open(begun.setup.secret, 'setup')
    const expiresAt = setupExpiresAt(begun.setup)
    return { kind: 'shown', parameters: shownParameters(begun.setup), secret, expiresAt }
  }

  #make(
    userId: string,
    type: AuthenticatorType | null,
    secret = this.#system.random(BYTES_OF_A_SECRET),
  ): Promise<UnprovenAuthenticator> {
    const made = type ?? this.#types[0] ?? 'totp'
    return makeUnproven(made, secret, this.#parameters, this.#keys.of(userId, null))
  }

  /**
   * Begins a change of this authenticator's key by a proof. It works until the new one is confirmed.
   *
   * @param change.id of the authenticator
   * @param change.type null: that of the authenticator where the host allows it, or else the host's first
   */
  async changeKey(
    attempt: ProofAttempt,
    change: { owner: string; id: string; type: AuthenticatorType | null },
  ): Promise<ProofAnswer<ShownKey>> {
    const { owner, id, type } = change
    const present = authenticatorById(attempt.record, id)?.type ?? null
    const like = this.#types.find((allowed) => allowed === present) ?? null
    const begun = { owner, type: type ?? like, replaces: { id } }
    return this.#begin(attempt, begun, async (record) => {
      if (type !== null && !this.#types.includes(type)) return 'switched-off'
      return authenticatorById(record, id) === null ? 'not-found' : null
    })
  }

  /** Begins the set-up of one more authenticator by a proof. */
  async add(
    attempt: ProofAttempt,
    owner: string,
    type: AuthenticatorType | null,
  ): Promise<ProofAnswer<ShownKey>> {
    const made = type ?? this.#types[0] ?? 'totp'
    return this.#begin(attempt, { owner, type, replaces: 'none' }, async (record) => {
      if (!this.#types.includes(made)) return 'switched-off'
      return hasNoRoom(record, made) ? 'already-enrolled' : null
    })
  }

  async #begin(
    attempt: ProofAttempt,
    begun: { owner: string; type: AuthenticatorType | null; replaces: Replaced },
    objection: Objection,
  ): Promise<ProofAnswer<ShownKey>> {
    const { owner, type, replaces } = begun
    const secret = this.#system.random(BYTES_OF_A_SECRET)
    const unproven = await this.#make(attempt.userId, type, secret)
    const begin: FollowUp<ShownKey> = (record, now) => {
      const command = { owner, unproven, replaces }
      const { answer: setup, ...decided } = beginKeyChange(record, command, now)
      const expiresAt = setupExpiresAt(setup)
      return { ...decided, answer: { parameters: shownParameters(setup), secret, expiresAt } }
    }
    return this.#challenge.answerAnd(attempt, begin, objection)
  }

  /**
   * Shows an authenticator's live key again, by a proof: to put it on a second device. At most twenty times
   * a day.
   */
  showKey(attempt: ProofAttempt, id: string): Promise<ProofAnswer<ShownKey | null>> {
    const show: FollowUp<ShownKey | null> = async (record) => {
      const authenticator = authenticatorById(record, id)
      if (authenticator === null || keyShown(authenticator) !== 'yes') {
        return { record, answer: null, events: [] }
      }
      const keys = this.#keys.of(attempt.userId, attempt.requestInfo)
      const { secret } = await keys.open(authenticator.secret, 'authenticator')
      return {
        record,
        answer: { parameters: shownParameters(authenticator), secret, expiresAt: null },
        events: [shownEvent(authenticator)],
      }
    }
    return this.#limits.countAction('show-key', attempt.userId, () =>
      this.#challenge.answerAnd(attempt, show),
    )
  }

  /** Confirms this login's set-up by one code of the new authenticator. */
  async confirm(
    { userId, owner, requestInfo, record, admission, policy, subject }: SetupOwner,
    attempt: { proof: Proof; name: string | null; ipKey: string | null; ipLimit: number },
  ): Promise<SetupConfirmed> {
    const now = this.#system.now()
    const setup = setupOf(record, owner, now)
    if (setup === null) {
      return { kind: mayBeginSetup(record, owner, now) ? 'setup-expired' : 'already-enrolled' }
    }
    const factor = mainFactorOf(setup.type)
    const reading = attempt.proof.find((one) => one.factor === factor)
    if (reading === undefined || !factor.fits(setup, reading.given)) {
      return { kind: 'malformed-request' }
    }

    const { name } = attempt
    const confirming = { owner, given: reading.given, name, policy, requestInfo }
    const places = await this.#limits.takeForSetup(userId, attempt.ipKey, attempt.ipLimit)
    if (places.kind !== 'taken') return places
    const { answer, backupCodes } = await this.#records
      .change(
        userId,
        requestInfo,
        async (current, now): Promise<Decision<Confirmation>> =>
          stillAdmitted(admission, { record: current, policy, subject }, now)
            ? this.#decide(current, confirming, now)
            : { record: current, answer: REVOKED, events: [] },
        record,
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

  async #decide(
    record: SecondStepRecord,
    { owner, given, name, policy, requestInfo }: Confirming,
    now: number,
  ): Promise<Decision<Confirmation>> {
    const { userId } = record
    const made = policy.backupCodes ? await this.#backupCodes.make(userId, now) : null
    const id = Buffer.from(this.#system.random(BYTES_OF_AN_ID)).toString('base64url')
    const decision = await confirmSetup(
      record,
      { owner, given, id, name, backupCodes: made?.set ?? null },
      { now, window: this.#window, keys: this.#keys.of(userId, requestInfo) },
    )
    return {
      ...decision,
      answer: { answer: decision.answer, backupCodes: made?.codes ?? [] },
    }
  }
}

/** What a QR code says besides the secret. A device that is set up begins at 0. */
function shownParameters(one: Authenticator | UnprovenAuthenticator): ShownKey['parameters'] {
  const { algorithm, digits } = one
  if (one.type === 'totp') return { type: one.type, algorithm, digits, period: one.period }
  return { type: one.type, algorithm, digits, counter: 'counter' in one ? one.counter : 0 }
}

function shownEvent(one: Authenticator): SecondStepEvent {
  const type = 'key-shown'
  return one.name === null
    ? { type, method: null }
    : { type, method: null, detail: namedDetail(one) }
}
