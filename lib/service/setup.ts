import { acceptedOf, backupCodesFor, isAccepted } from '../domain/accepted-methods.js'
import { hasNoRoom } from '../domain/authenticators.js'
import type { Decision } from '../domain/decision.js'
import { withoutOvertaken } from '../domain/overtaken-setup.js'
import { authenticatorById, keyShown } from '../domain/own-authenticators.js'
import type { Policy, Subject } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import {
  type BeginSetupAnswer,
  beginKeyChange,
  beginSetup,
  isShownAgain,
  setupOf,
} from '../domain/setup.js'
import type { Replaced } from '../domain/setup-place.js'
import { type Admission, stillMaySetUp, type UserContext } from '../domain/standing.js'
import { touchesBound, touchesShown } from '../domain/touches.js'
import type { CeremonyParts } from '../factors/ceremony.js'
import {
  type Authenticator,
  makeUnproven,
  showsCodes,
  type UnprovenAuthenticator,
} from '../factors/factors.js'
import type { OtpParameters } from '../factors/otp/parameters.js'
import { BYTES_OF_A_SECRET } from '../factors/totp/make.js'
import { BYTES_OF_A_CEREMONY } from '../factors/webauthn/make.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { Challenge, FollowUp, Objection, ProofAnswer, ProofAttempt } from './challenge.js'
import type { CodeLimits } from './code-limits.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { MountedRules } from './mounted-rules.js'
import type { Records } from './records.js'
import {
  keysIn,
  type ShownKey,
  type ShownSecret,
  shownEvent,
  shownLive,
  shownSetup,
} from './shown-key.js'

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

/** A set-up to show. */
export type SetupShown =
  | ({ readonly kind: 'shown' } & ShownKey)
  | {
      readonly kind:
        | 'already-enrolled'
        | 'sign-in-again'
        | 'switched-off'
        | 'stronger-factor-required'
    }

/** Begins to bind an authenticator: shows a secret that the server made, which `SetupConfirmations` confirm by one code. */
export class Setup {
  readonly #records: Records
  readonly #challenge: Challenge
  readonly #limits: CodeLimits
  readonly #keys: KeysOfUsers
  readonly #system: System
  readonly #parameters: OtpParameters
  readonly #types: readonly AuthenticatorType[]
  readonly #ceremonies: CeremonyParts | null
  readonly #mountedRules: MountedRules

  constructor(parts: {
    records: Records
    challenge: Challenge
    limits: CodeLimits
    keys: KeysOfUsers
    system: System
    parameters: OtpParameters
    types: readonly AuthenticatorType[]
    /** Null if the host has no WebAuthn. */
    ceremonies: CeremonyParts | null
    mountedRules: MountedRules
  }) {
    this.#records = parts.records
    this.#challenge = parts.challenge
    this.#limits = parts.limits
    this.#keys = parts.keys
    this.#system = parts.system
    this.#parameters = parts.parameters
    this.#types = parts.types
    this.#ceremonies = parts.ceremonies
    this.#mountedRules = parts.mountedRules
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
    const types = this.typesFor(policy, subject)
    const refusal = this.#refusalOf(type, types)
    const [first] = types
    if (refusal !== null) return { kind: refusal }
    if (first === undefined) return { kind: 'stronger-factor-required' }
    const keys = this.#keys.of(userId, requestInfo)
    const begun = await this.#records.change(
      userId,
      requestInfo,
      async (stored, now): Promise<Decision<Begun>> => {
        // A late request of an ended login must not replace the owner's set-up.
        if (!stillMaySetUp(admission, { record: stored, policy, subject }, now)) {
          return { record: stored, answer: { kind: 'sign-in-again' }, events: [] }
        }
        const { rules: routes } = this.#mountedRules
        const current = withoutOvertaken({ record: stored, policy, subject }, routes, now)
        const present = setupOf(current, owner, now)
        const before = present !== null && types.includes(present.type) ? present.type : null
        const wanted = type ?? before ?? first
        const continues = present !== null && isShownAgain(present, wanted, now)
        const made = { type: wanted, record: current, now }
        const unproven = continues ? present : await this.#make(userId, made)
        const { answer, ...decided } = beginSetup(
          current,
          { owner, unproven, routes, policy: policy.version },
          now,
        )
        return { ...decided, answer: { ...answer, record: decided.record } }
      },
      record,
    )
    if (begun.kind !== 'in-progress') return begun
    return { kind: 'shown', ...(await shownSetup(begun.setup, begun.record, keys)) }
  }

  /** The types of authenticators that this user may set up, the usual one first. */
  typesFor(
    policy: Pick<Policy, 'accepts'>,
    subject: Pick<Subject, 'roles'>,
  ): readonly AuthenticatorType[] {
    const accepted = acceptedOf(policy, subject)
    return this.#types.filter((type) => isAccepted(accepted, type))
  }

  /** The type of the next authenticator, where none was named. @param present of the one that it replaces */
  typeLike(
    types: readonly AuthenticatorType[],
    present: AuthenticatorType | null,
  ): AuthenticatorType | null {
    return types.find((allowed) => allowed === present) ?? types[0] ?? null
  }

  /** The reason why no authenticator of this type may be set up, or null. */
  #refusalOf(
    type: AuthenticatorType | null,
    types: readonly AuthenticatorType[],
  ): 'switched-off' | 'stronger-factor-required' | null {
    if (type !== null && !this.#types.includes(type)) return 'switched-off'
    const isOffered = type === null ? types.length > 0 : types.includes(type)
    return isOffered ? null : 'stronger-factor-required'
  }

  /** @param made.type null, or one that the host does not allow: its first */
  #make(
    userId: string,
    made: { type: AuthenticatorType | null; record: SecondStepRecord; now: number },
  ): Promise<UnprovenAuthenticator> {
    const type = this.#types.find((allowed) => allowed === made.type) ?? this.#types[0] ?? 'totp'
    const size = type === 'webauthn' ? BYTES_OF_A_CEREMONY : BYTES_OF_A_SECRET
    const relyingParty = this.#ceremonies?.relyingParty ?? null
    return makeUnproven(type, this.#system.random(size), {
      parameters: this.#parameters,
      keys: this.#keys.of(userId, null),
      relyingParty,
      handle: handleOf(made.record),
      now: made.now,
    })
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
    const types = this.typesFor(attempt.policy, attempt.subject)
    const begun = { owner, type: type ?? this.typeLike(types, present), replaces: { id } }
    return this.#begin(attempt, begun, async (record) => {
      const refusal = this.#refusalOf(type, types)
      return refusal ?? (authenticatorById(record, id) === null ? 'not-found' : null)
    })
  }

  /** Begins the set-up of one more authenticator by a proof. */
  async add(
    attempt: ProofAttempt,
    owner: string,
    type: AuthenticatorType | null,
  ): Promise<ProofAnswer<ShownKey>> {
    const types = this.typesFor(attempt.policy, attempt.subject)
    const made = type ?? types[0] ?? 'totp'
    return this.#begin(attempt, { owner, type: made, replaces: 'none' }, async (record) => {
      const refusal = this.#refusalOf(type, types)
      return refusal ?? (hasNoRoom(record, made) ? 'already-enrolled' : null)
    })
  }

  async #begin(
    attempt: ProofAttempt,
    begun: { owner: string; type: AuthenticatorType | null; replaces: Replaced },
    objection: Objection,
  ): Promise<ProofAnswer<ShownKey>> {
    const { owner, type, replaces } = begun
    const keys = this.#keys.of(attempt.userId, attempt.requestInfo)
    const begin: FollowUp<ShownKey> = async (record, now) => {
      const unproven = await this.#make(attempt.userId, { type, record, now })
      const command = { owner, unproven, replaces, policy: attempt.policy.version }
      const { answer: setup, ...decided } = beginKeyChange(record, command, now)
      return { ...decided, answer: await shownSetup(setup, decided.record, keys) }
    }
    const replaced = replaces === 'none' || replaces === 'all' ? null : replaces.id
    const withCodes = backupCodesFor(attempt.policy, attempt.subject)
    const touches = touchesBound(type, { replaced, withCodes })
    return this.#challenge.answerAnd(attempt, begin, objection, touches)
  }

  /**
   * Shows an authenticator's live key again, by a proof: to put it on a second device. At most twenty times
   * a day.
   */
  showKey(attempt: ProofAttempt, id: string): Promise<ProofAnswer<ShownSecret | null>> {
    const show: FollowUp<ShownSecret | null> = async (record) => {
      const authenticator = authenticatorById(record, id)
      if (
        authenticator === null ||
        !showsCodes(authenticator) ||
        keyShown(authenticator) !== 'yes'
      ) {
        return { record, answer: null, events: [] }
      }
      const keys = this.#keys.of(attempt.userId, attempt.requestInfo)
      const answer = await shownLive(authenticator, keys)
      return { record, answer, events: [shownEvent(authenticator)] }
    }
    return this.#limits.countAction('show-key', attempt.userId, () =>
      this.#challenge.answerAnd(attempt, show, undefined, touchesShown(id)),
    )
  }
}

type Begun =
  | (BeginSetupAnswer & { readonly record: SecondStepRecord })
  | { readonly kind: 'sign-in-again' }

/** A user's keys all know them by the same name. */
function handleOf({ authenticators }: SecondStepRecord): string | null {
  return keysIn(authenticators)[0]?.handle ?? null
}
