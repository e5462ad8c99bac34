import { tokenByAdmin, tokenBySerial } from '../domain/assigned-token.js'
import { withCodes } from '../domain/authenticators.js'
import { fewMissesADay } from '../domain/miss-budget.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { UserContext } from '../domain/standing.js'
import { type Authenticator, showsCodes } from '../factors/factors.js'
import type { HardwareToken } from '../factors/hardware-token.js'
import { isSameKey } from '../factors/otp/same-key.js'
import type { System } from '../ports/system.js'
import type { AdminAnswer, AdminChange, AdminChanges, Decided } from './admin-changes.js'
import type { KeysOfUsers } from './keys-of-users.js'
import type { ClaimedToken, SerialNumbers, Taken } from './serial-numbers.js'
import { BYTES_OF_AN_ID } from './setup.js'

type Claim = Pick<ClaimedToken, 'kind' | 'next'> | { readonly kind: Taken }

/** What an admin should know of a user who has the token. */
export interface Assigned {
  /** How few wrong codes a day lock the user now. Null: enough. */
  readonly fewMissesADay: number | null
}

/**
 * Hardware tokens that admins and the operator assign. The caller authorises them. No other action of
 * theirs turns the second step on for a user who has no device.
 */
export class AssignedTokens {
  readonly #changes: AdminChanges
  readonly #keys: KeysOfUsers
  readonly #serials: SerialNumbers
  readonly #system: System
  readonly #window: number

  constructor(parts: {
    changes: AdminChanges
    keys: KeysOfUsers
    serials: SerialNumbers
    system: System
    window: number
  }) {
    this.#changes = parts.changes
    this.#keys = parts.keys
    this.#serials = parts.serials
    this.#system = parts.system
    this.#window = parts.window
  }

  /** Whether the store can hold hardware tokens. */
  get isSupported(): boolean {
    return this.#serials.isSupported
  }

  /**
   * Binds a hardware token. Nothing changes where the user has this very token already.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  async assign(change: AdminChange, token: HardwareToken): Promise<AdminAnswer<Assigned>> {
    const claimant = { token, userId: change.userId }
    const taken = await this.#serials.takenFor(claimant)
    if (taken !== null) return { kind: taken }
    const claims: ClaimedToken[] = []
    const claim = async () => {
      const claimed = await this.#serials.claim(claimant)
      if (claimed.kind === 'claimed') claims.push(claimed)
      return claimed
    }
    const answer = await this.#changes.make(change, this.#assigning(change, token, claim))
    // Of several, the last one follows the others.
    await claims.at(-1)?.settle()
    return answer
  }

  /**
   * What `assign` would answer now. Writes nothing.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  async preview(change: AdminChange, token: HardwareToken): Promise<AdminAnswer<Assigned>> {
    const taken = await this.#serials.takenFor({ token, userId: change.userId })
    if (taken !== null) return { kind: taken }
    const claim = async () => ({ kind: 'claimed', next: 0 }) as const
    return this.#changes.preview(change, this.#assigning(change, token, claim))
  }

  /**
   * Whether a token with this key was removed, under whatever serial number, and nobody has one since.
   *
   * @throws ConfigurationError where the store cannot hold hardware tokens
   */
  wasRemoved(token: HardwareToken): Promise<boolean> {
    return this.#serials.wasRemoved(token)
  }

  /**
   * @param claim called for the record that the decision is about, and only where nothing else refuses the
   *   token: a refusal leaves the number as it was, and what it knows of used codes is not older than the record
   */
  #assigning(change: AdminChange, token: HardwareToken, claim: () => Promise<Claim>) {
    return async (userContext: UserContext, now: number): Promise<Decided<Assigned>> => {
      const { record } = userContext
      const present = tokenBySerial(record, token.serial)
      if (present !== null) {
        const same = await this.#isSame(change, present, token)
        const answer = same ? ('done' as const) : ('serial-in-use' as const)
        return { record, answer, result: this.#assigned(record), events: [] }
      }
      if (await this.#hasSeed(change.userId, record, token)) {
        return { record, answer: 'seed-in-use', result: this.#assigned(record), events: [] }
      }
      const moment = { window: this.#window, now }
      const boundFrom = async (next: number) => {
        const bound = await this.#boundToken(change.userId, token, { now, next })
        const decided = tokenByAdmin(userContext, bound, moment)
        return { ...decided, result: this.#assigned(decided.record) }
      }
      const decided = await boundFrom(0)
      if (decided.answer !== 'done') return decided
      const claimed = await claim()
      if (claimed.kind === 'claimed') return boundFrom(claimed.next)
      return { record, answer: claimed.kind, result: this.#assigned(record), events: [] }
    }
  }

  #assigned(record: SecondStepRecord): Assigned {
    return { fewMissesADay: fewMissesADay(record, this.#window) }
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
    if (!showsCodes(present)) return false
    const { type, algorithm, digits } = present
    if (type !== token.type || algorithm !== token.algorithm || digits !== token.digits)
      return false
    if (present.type === 'totp' && token.type === 'totp' && present.period !== token.period) {
      return false
    }
    const { secret } = await this.#keys
      .of(userId, requestInfo)
      .open(present.secret, 'authenticator')
    return isSameKey({ secret, algorithm }, token)
  }

  /** Whether an authenticator of the user has this seed. One that does not open gives no codes either. */
  async #hasSeed(userId: string, record: SecondStepRecord, token: HardwareToken): Promise<boolean> {
    const keys = this.#keys.of(userId, null)
    const same = await Promise.allSettled(
      withCodes(record).map(async ({ secret: sealed, algorithm }) => {
        const { secret } = await keys.open(sealed, 'authenticator')
        return isSameKey({ secret, algorithm }, token)
      }),
    )
    return same.some((one) => one.status === 'fulfilled' && one.value)
  }
}
