import type { Decision } from '../domain/decision.js'
import {
  endMailReset,
  isReadyDue,
  type MailReset,
  tellMailResetReady,
} from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import { MINUTE_MS } from '../domain/units.js'
import type { System } from '../ports/system.js'
import { NO_REQUEST } from './announcer.js'
import { keyGone } from './changed-address.js'
import type { FailureReporter } from './failure-reporter.js'
import { factsOf } from './lost.js'
import type { MailResetTokens } from './mail-reset-tokens.js'
import { type FindMailResetUser, heldUntilOf, type MailResetUser } from './mail-reset-user.js'
import type { LinkMailer } from './mails.js'
import { noCircle } from './page-by-page.js'
import type { Records } from './records.js'

const SOON = 1000
const PAGE = 100

interface Parts {
  readonly records: Records
  readonly tokens: MailResetTokens
  readonly mails: LinkMailer
  readonly findUser: FindMailResetUser
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  readonly failureReporter: FailureReporter
  readonly system: System
}

/**
 * Mails users whose reset's wait is over. Every process polls once a minute, and the write of the
 * record decides which one sends the mail.
 */
export class ReadyMailResets {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Starts polling. The timer is unref'd. */
  start(): void {
    this.#lookIn(SOON)
  }

  /** Stops polling. Resolves when the mail under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  #lookIn(milliseconds: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#sweeping = this.sweep().finally(() => this.#lookIn(MINUTE_MS))
    }, milliseconds)
    this.#timer.unref()
  }

  /** Mails every user who is due. Never rejects: reports failures to the operator. */
  async sweep(): Promise<void> {
    const { records, system, failureReporter, hostIdOf } = this.#parts
    try {
      const pass = noCircle(() => new Error('a list of the record store goes in a circle'))
      let cursor: string | null = null
      do {
        const query = { list: 'mail-resets-due', cursor, limit: PAGE, now: system.now() } as const
        const page = await records.idsOf(query)
        if (page === null) throw new Error('the record store does not know its own cursor')
        for (const lost of page.lostLists) failureReporter.report(new Error(lost))
        for (const userId of page.ids) {
          if (this.#stopped) return
          // Its own app tells them. To this one they would be a user who is gone.
          if (hostIdOf(userId) === null) continue
          await this.#tell(userId).catch((error: unknown) => failureReporter.report(error))
        }
        cursor = pass(page.next)
      } while (cursor !== null && !this.#stopped)
    } catch (error) {
      failureReporter.report(error)
    }
  }

  async #tell(userId: string): Promise<void> {
    const { records, tokens, mails, findUser, system } = this.#parts
    const user = await findUser(userId)
    const allowed = user !== null && (await user.allowed()) ? user : null
    const heldUntil = allowed === null ? 0 : await heldUntilOf(allowed, system.now())
    const { token, secret } = await tokens.newToken(userId)
    const told = await records.change(userId, NO_REQUEST, async (record, now) => {
      const live = await this.#isLive(allowed, record, now)
      if (!live) return { ...endMailReset(record, now), answer: null }
      return this.#decide(record, secret, heldUntil, now)
    })
    if (told === null || allowed === null) return
    const detail = { expiresAt: new Date(told.expiresAt) }
    const event = { type: 'mail-reset-ready', ...factsOf(userId, told), detail } as const
    void mails.sendLink(event, [], { token, account: allowed.account })
  }

  /** Ends a reset that is not allowed any more. Leaves a reset that is not due unchanged. */
  async #isLive(
    user: MailResetUser | null,
    record: SecondStepRecord,
    now: number,
  ): Promise<boolean> {
    const { mailReset, userId } = record
    if (mailReset === null || !isReadyDue(record, now)) return true
    if (user === null) return false
    const { tokens, failureReporter } = this.#parts
    const address = await tokens.addressOf(user.account.email, userId, mailReset)
    if (address === 'unknown') failureReporter.report(keyGone(mailReset))
    return address === 'same'
  }

  async #decide(
    record: SecondStepRecord,
    secret: string,
    heldUntil: number,
    now: number,
  ): Promise<Decision<MailReset | null>> {
    const { mailReset } = record
    if (mailReset === null) return { record, answer: null, events: [] }
    const [digest] = await this.#parts.tokens.digests(secret, record, mailReset)
    return tellMailResetReady(record, { digest, heldUntil }, now)
  }
}
