import type { AdminAction } from '../domain/admin-actions.js'
import {
  type AdminVerdict,
  backupCodesByAdmin,
  disableByAdmin,
  endSessionsByAdmin,
  oneTimeCodeByAdmin,
  pauseByAdmin,
  pauseEnd,
  removeByAdmin,
  resetByAdmin,
  resumeByAdmin,
  unlockByAdmin,
} from '../domain/administration.js'
import { tokenByAdmin, tokenBySerial } from '../domain/assigned-token.js'
import type { Decision } from '../domain/decision.js'
import type { Policy, Subject } from '../domain/policy.js'
import { changePolicy, type PolicyEdit } from '../domain/policy-change.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { UserContext } from '../domain/standing.js'
import { type State, stateOf } from '../domain/state.js'
import type { Authenticator } from '../factors/factors.js'
import type { HardwareToken } from '../factors/hardware-token.js'
import type { System } from '../ports/system.js'
import { type Announcer, type RequestInfo, SYSTEM } from './announcer.js'
import type { BackupCodes } from './backup-codes.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { OneTimeCodes } from './one-time-codes.js'
import type { Records } from './records.js'
import type { ClaimedSerial, SerialNumbers } from './serial-numbers.js'
import { BYTES_OF_AN_ID } from './setup.js'

/** One change by an admin or the operator. */
export interface AdminChange {
  /** The user's id in the records. */
  readonly userId: string
  /** The subject is the user who is changed, not the admin. */
  readonly subject: Subject
  /** `actor` and `reason` say who does it and why. */
  readonly requestInfo: RequestInfo
}

/** The outcome of a change. `done` with the present state, also if there was nothing to change. */
export type AdminAnswer<Result = undefined> =
  | {
      readonly kind: 'done'
      readonly state: State
      readonly result: Result
      readonly changed: boolean
    }
  | { readonly kind: Exclude<AdminVerdict, 'done'> }

type Claim = Pick<ClaimedSerial, 'kind' | 'next'> | { readonly kind: 'serial-in-use' }

interface Decided<Result> extends Decision<AdminVerdict> {
  readonly result: Result
}

/**
 * The actions of admins and the operator. The caller authorises them. Only `assignToken` turns the
 * second step on for a user who has no device.
 */
export class Administration {
  readonly #records: Records
  readonly #backupCodes: BackupCodes
  readonly #oneTimeCodes: OneTimeCodes
  readonly #announcer: Announcer
  readonly #keys: KeysOfUsers
  readonly #serials: SerialNumbers
  readonly #system: System
  readonly #window: number

  constructor(parts: {
    records: Records
    backupCodes: BackupCodes
    oneTimeCodes: OneTimeCodes
    announcer: Announcer
    keys: KeysOfUsers
    serials: SerialNumbers
    system: System
    window: number
  }) {
    this.#records = parts.records
    this.#backupCodes = parts.backupCodes
    this.#oneTimeCodes = parts.oneTimeCodes
    this.#announcer = parts.announcer
    this.#keys = parts.keys
    this.#serials = parts.serials
    this.#system = parts.system
    this.#window = parts.window
  }

  /** Forgets authenticator and codes; the first step alone is enough from then on. */
  disable(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, disableByAdmin)
  }

  /** Pauses the second step for some days (already validated) or until resumed. */
  pause(
    change: AdminChange,
    days: number | 'forever',
  ): Promise<AdminAnswer<{ readonly pausedUntil: number }>> {
    return this.#changeAnd(change, (userContext, now) => {
      const pausedUntil = pauseEnd(days, now)
      return { ...pauseByAdmin(userContext, pausedUntil), result: { pausedUntil } }
    })
  }

  /** Ends a pause. */
  resume(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, resumeByAdmin)
  }

  /** Forgets authenticator and codes; the next login sets up. All sessions end. */
  reset(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, resetByAdmin)
  }

  /** Makes a new set of backup codes, shown to the admin once. All earlier ones stop working. */
  makeBackupCodes(change: AdminChange): Promise<AdminAnswer<readonly string[]>> {
    return this.#changeAnd(change, async (userContext, now) => {
      const { set, codes } = await this.#backupCodes.make(change.userId, now)
      return { ...backupCodesByAdmin(userContext, set), result: codes }
    })
  }

  /** Makes a code for one login, in which the user must set up again. Earlier codes stay. */
  makeOneTimeCode(
    change: AdminChange,
  ): Promise<AdminAnswer<{ readonly code: string; readonly expiresAt: number }>> {
    return this.#changeAnd(change, async (userContext, now) => {
      const { made, code } = await this.#oneTimeCodes.make(change.userId, now)
      const result = { code, expiresAt: made.expiresAt }
      return { ...oneTimeCodeByAdmin(userContext, made, now), result }
    })
  }

  /** Whether the store can hold hardware tokens. */
  get hasTokens(): boolean {
    return this.#serials.isSupported
  }

  /**
   * Binds a hardware token. Nothing changes where the user has this very token already.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  async assignToken(change: AdminChange, token: HardwareToken): Promise<AdminAnswer> {
    if (!(await this.#serials.isFreeFor(token.serial, change.userId))) {
      return { kind: 'serial-in-use' }
    }
    const claims: ClaimedSerial[] = []
    const claim = async () => {
      const claimed = await this.#serials.claim(token, change.userId)
      if (claimed.kind === 'claimed') claims.push(claimed)
      return claimed
    }
    const answer = await this.#changeAnd(change, this.#assigning(change, token, claim))
    // Of several, the last one follows the others.
    await claims.at(-1)?.settle()
    return answer
  }

  /**
   * What `assignToken` would answer now. Writes nothing.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  async previewToken(change: AdminChange, token: HardwareToken): Promise<AdminAnswer> {
    if (!(await this.#serials.isFreeFor(token.serial, change.userId))) {
      return { kind: 'serial-in-use' }
    }
    const record = await this.#records.find(change.userId)
    const decide = this.#assigning(change, token, async () => ({ kind: 'claimed', next: 0 }))
    return (await this.#decided(change, record, this.#system.now(), decide)).answer
  }

  /**
   * Whether a token with this serial number was removed, and nobody has it since.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  wasRemoved(serial: string): Promise<boolean> {
    return this.#serials.wasRemoved(serial)
  }

  /** Removes one authenticator; the last one only where the policy lets the user do without. */
  removeAuthenticator(change: AdminChange, id: string): Promise<AdminAnswer> {
    return this.#change(change, (userContext, now) =>
      removeByAdmin(userContext, id, { window: this.#window, now }),
    )
  }

  /** Clears misses, waits and the lock. */
  unlock(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, unlockByAdmin)
  }

  /** Ends every session and pending login of the user. */
  endSessions(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, endSessionsByAdmin)
  }

  /** The policy, read anew. */
  policy(): Promise<Policy> {
    return this.#records.policy()
  }

  /**
   * Changes the named fields, and returns the whole policy. The change takes effect at the next
   * request.
   */
  async changePolicy(requestInfo: RequestInfo, edit: PolicyEdit): Promise<Policy> {
    const by = requestInfo.actor ?? SYSTEM
    await this.#records.changePolicy(requestInfo, (policy, now) => ({
      ...changePolicy(policy, edit, by, now),
      answer: undefined,
    }))
    return this.#records.policy()
  }

  /** Announces that a change was refused. About no single user if `userId` is null. */
  refused(
    userId: string | null,
    requestInfo: RequestInfo,
    refusal: { readonly action: AdminAction; readonly code: string },
  ): Promise<void> {
    const event = { type: 'change-refused', method: null, detail: refusal } as const
    return this.#announcer.announce(userId, [event], requestInfo)
  }

  #change(
    change: AdminChange,
    decide: (userContext: UserContext, now: number) => Decision<AdminVerdict>,
  ): Promise<AdminAnswer> {
    return this.#changeAnd(change, (userContext, now) => ({
      ...decide(userContext, now),
      result: undefined,
    }))
  }

  /**
   * @param claim called for the record that the decision is about, and only where nothing else refuses the
   *   token: a refusal leaves the number as it was, and what it knows of used codes is not older than the record
   */
  #assigning(change: AdminChange, token: HardwareToken, claim: () => Promise<Claim>) {
    return async (userContext: UserContext, now: number): Promise<Decided<undefined>> => {
      const { record } = userContext
      const present = tokenBySerial(record, token.serial)
      if (present !== null) {
        const same = await this.#isSame(change, present, token)
        const answer = same ? ('done' as const) : ('serial-in-use' as const)
        return { record, answer, result: undefined, events: [] }
      }
      if (await this.#hasSeed(change.userId, record, token)) {
        return { record, answer: 'seed-in-use', result: undefined, events: [] }
      }
      const moment = { window: this.#window, now }
      const boundFrom = async (next: number) => {
        const bound = await this.#boundToken(change.userId, token, { now, next })
        return { ...tokenByAdmin(userContext, bound, moment), result: undefined }
      }
      const decided = await boundFrom(0)
      if (decided.answer !== 'done') return decided
      const claimed = await claim()
      if (claimed.kind === 'claimed') return boundFrom(claimed.next)
      return { record, answer: claimed.kind, result: undefined, events: [] }
    }
  }

  /** @param next what its next code may be at the earliest: the used codes of a token stay used */
  async #boundToken(
    userId: string,
    token: HardwareToken,
    { now, next }: { readonly now: number; readonly next: number },
  ): Promise<Authenticator> {
    const { serial, algorithm, digits } = token
    const secret = await this.#keys.of(userId, null).seal(token.secret, 'authenticator')
    const id = Buffer.from(this.#system.random(BYTES_OF_AN_ID)).toString('base64url')
    const bound = { id, name: null, since: now, lastUsedAt: null, serial }
    const key = { ...bound, algorithm, digits, secret }
    return token.type === 'totp'
      ? { ...key, type: token.type, period: token.period, lastStep: next - 1, offset: 0 }
      : { ...key, type: token.type, counter: Math.max(token.counter, next), farMisses: [] }
  }

  /** Whether it was assigned before. Its counter may have moved since. */
  async #isSame(
    { userId, requestInfo }: AdminChange,
    present: Authenticator,
    token: HardwareToken,
  ): Promise<boolean> {
    const { type, algorithm, digits } = present
    if (type !== token.type || algorithm !== token.algorithm || digits !== token.digits)
      return false
    if (present.type === 'totp' && token.type === 'totp' && present.period !== token.period) {
      return false
    }
    const { secret } = await this.#keys
      .of(userId, requestInfo)
      .open(present.secret, 'authenticator')
    return Buffer.compare(secret, token.secret) === 0
  }

  /** Whether an authenticator of the user has this seed. One that does not open gives no codes either. */
  async #hasSeed(
    userId: string,
    { authenticators }: SecondStepRecord,
    token: HardwareToken,
  ): Promise<boolean> {
    const keys = this.#keys.of(userId, null)
    const opened = await Promise.allSettled(
      authenticators.map(({ secret }) => keys.open(secret, 'authenticator')),
    )
    return opened.some(
      (one) => one.status === 'fulfilled' && Buffer.compare(one.value.secret, token.secret) === 0,
    )
  }

  #changeAnd<Result>(
    change: AdminChange,
    decide: (userContext: UserContext, now: number) => Decided<Result> | Promise<Decided<Result>>,
  ): Promise<AdminAnswer<Result>> {
    const { userId, requestInfo } = change
    return this.#records.change<AdminAnswer<Result>>(userId, requestInfo, (record, now) =>
      this.#decided(change, record, now, decide),
    )
  }

  /** Reads the policy for each try, so that a rule changed meanwhile counts for this change. */
  async #decided<Result>(
    { subject }: AdminChange,
    record: SecondStepRecord,
    now: number,
    decide: (userContext: UserContext, now: number) => Decided<Result> | Promise<Decided<Result>>,
  ): Promise<Decision<AdminAnswer<Result>>> {
    const userContext = { record, policy: await this.#records.policy(), subject }
    const { answer: verdict, result, ...decided } = await decide(userContext, now)
    const state = stateOf({ ...userContext, record: decided.record }, this.#window, now)
    if (verdict !== 'done') return { ...decided, answer: { kind: verdict } }
    const changed = decided.record !== record
    return { ...decided, answer: { kind: verdict, state, result, changed } }
  }
}
