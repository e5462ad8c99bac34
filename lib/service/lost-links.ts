import type { Decision } from '../domain/decision.js'
import {
  endMailReset,
  type MailReset,
  mailResetOf,
  type PressAnswer,
  pressMailReset,
} from '../domain/mail-reset.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RouteRules } from '../domain/route-rules.js'
import { mailResetFor } from '../domain/rules-of-user.js'
import { pendingStandingOf, type UserContext } from '../domain/standing.js'
import type { System } from '../ports/system.js'
import type { Announcer, RequestInfo } from './announcer.js'
import { ChangedAddress } from './changed-address.js'
import type { FailureReporter } from './failure-reporter.js'
import type { MailLimits } from './mail-limits.js'
import type { MailResetTokens, ReadToken } from './mail-reset-tokens.js'
import { type FindMailResetUser, heldUntilOf } from './mail-reset-user.js'
import type { MountedRules } from './mounted-rules.js'
import type { Records } from './records.js'

/** A pending login that asks for a reset, or presses its button. */
export interface LostLogin extends Pick<UserContext, 'policy' | 'subject'> {
  readonly pending: PendingLogin
  readonly requestInfo: RequestInfo
}

/** A link that is good now. */
export interface LostLink {
  readonly token: ReadToken
  readonly reset: MailReset
  readonly heldUntil: number
}

/** The parts that `LostLinks` needs. */
export interface LostLinkParts {
  readonly records: Records
  readonly tokens: MailResetTokens
  readonly limits: MailLimits
  readonly announcer: Announcer
  readonly findUser: FindMailResetUser
  readonly failureReporter: FailureReporter
  readonly system: System
  /** What the app's routes accept. */
  readonly mountedRules: MountedRules
}

/** The mailed links: finds, opens, uses and cancels them. */
export class LostLinks {
  readonly #parts: LostLinkParts
  readonly #changed: ChangedAddress

  constructor(parts: LostLinkParts) {
    this.#parts = parts
    this.#changed = new ChangedAddress(parts)
  }

  /**
   * The link of a token, or null if it does not work, for any reason. If the user's address has
   * changed since, it never works again.
   */
  async find(token: string): Promise<LostLink | null> {
    const { records, tokens, findUser, system } = this.#parts
    const read = await tokens.read(token)
    if (read === null) return null
    const record = await records.find(read.userId)
    const reset = await this.#resetOf(read, record, system.now())
    if (reset === null) return null
    // Only now, so that the host's response time reveals nothing to somebody without a token.
    const user = await findUser(read.userId)
    if (user === null) return null
    if (!(await this.#changed.endUnlessSame(record, user.account.email))) return null
    if (!(await user.allowed())) return null
    return { token: read, reset, heldUntil: await heldUntilOf(user, system.now()) }
  }

  async #resetOf(
    token: ReadToken,
    record: SecondStepRecord,
    now: number,
  ): Promise<MailReset | null> {
    if (record.mailReset === null) return null
    const digests = await this.#parts.tokens.digests(token.secret, record, record.mailReset)
    return mailResetOf(record, digests, now)
  }

  /**
   * Announces that a link was opened. Only once, because mail scanners open some links again and
   * again.
   */
  async opened({ token, reset }: LostLink, requestInfo: RequestInfo): Promise<void> {
    const { limits, announcer } = this.#parts
    if (!(await limits.mayTellOpening(reset.id))) return
    await announcer.announce(
      token.userId,
      [{ type: 'mail-reset-opened', method: null }],
      requestInfo,
    )
  }

  /** Resets, for a pending login of that user. The decision checks link and login again. */
  press(
    { token, heldUntil }: LostLink,
    press: LostLogin,
  ): Promise<PressAnswer | { readonly kind: 'not-signed-in' }> {
    const { records, tokens, mountedRules } = this.#parts
    return records.change(
      token.userId,
      press.requestInfo,
      async (record, now): Promise<Decision<PressAnswer | { kind: 'not-signed-in' }>> => {
        const { mailReset } = record
        const digests =
          mailReset === null ? [] : await tokens.digests(token.secret, record, mailReset)
        if (
          mailResetOf(record, digests, now) !== null &&
          !waitsForCode(press, record, mountedRules.rules, now)
        ) {
          return { record, answer: { kind: 'not-signed-in' }, events: [] }
        }
        return pressMailReset(record, { digests, heldUntil }, now)
      },
    )
  }

  /** Ends the reset of a link. */
  cancel({ token }: LostLink, requestInfo: RequestInfo): Promise<'cancelled' | 'link-expired'> {
    return this.#parts.records.change<'cancelled' | 'link-expired'>(
      token.userId,
      requestInfo,
      async (record, now) =>
        (await this.#resetOf(token, record, now)) === null
          ? { record, answer: 'link-expired', events: [] }
          : { ...endMailReset(record, now), answer: 'cancelled' },
    )
  }
}

/** Whether the login may ask for a reset or make one: it waits for the code, and no rule says what counts. */
export function waitsForCode(
  { pending, policy, subject }: LostLogin,
  record: SecondStepRecord,
  routes: RouteRules,
  now: number,
): boolean {
  const standing = pendingStandingOf(pending, { record, policy, subject }, now)
  return standing === 'code-required' && mailResetFor({ record, policy, subject }, routes)
}
