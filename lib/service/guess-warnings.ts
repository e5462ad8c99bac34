import type { SecondStepEventType } from '../domain/event.js'
import { DAY_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Announcer, RequestInfo } from './announcer.js'
import type { MailedEvent } from './mails.js'

const LONGEST = 24 * DAY_S
const WRONG_CODES_IN_A_ROW = 3
const RIGHT: readonly SecondStepEventType[] = [
  ...(['code-accepted', 'one-time-code-used'] as const),
  ...(['enrolled', 'key-changed', 'authenticator-added'] as const),
]

/** Sends the mail of an event that is not mailed each time. */
export interface WarningMailer {
  /** Never rejects. */
  send(event: MailedEvent, languages: readonly string[]): Promise<boolean>
}

/**
 * Warns the owner from the third wrong code in a row on, of any kind and in any login, because a
 * guesser who has the password may stay below every lock. The record counts only the
 * authenticator's misses, since wrong backup codes must not lock it; so this keeps its own count.
 */
export class GuessWarnings {
  readonly #inARow: Counter
  readonly #mailer: WarningMailer
  readonly #now: () => number
  readonly #report: (error: unknown) => void
  readonly #underWay = new Set<Promise<void>>()

  constructor(parts: {
    announcer: Announcer
    counters: Counters
    mailer: WarningMailer
    now: () => number
    /** Tells the operator what fails in the background. */
    report: (error: unknown) => void
  }) {
    this.#inARow = parts.counters.counter('wrong-codes-in-a-row', LONGEST)
    this.#mailer = parts.mailer
    this.#now = parts.now
    this.#report = parts.report
    parts.announcer.tell(({ type, user }) => {
      if (user !== null && RIGHT.includes(type)) void this.#endRow(user)
    })
  }

  /** Counts a wrong code, and begins the mail if it is worth one. Nobody waits for it. */
  missed(userId: string, requestInfo: RequestInfo): void {
    // A clock of the host's that fails would end the process: nobody else handles the rejection.
    const counted: Promise<void> = this.#missed(userId, requestInfo)
      .catch(this.#report)
      .finally(() => this.#underWay.delete(counted))
    this.#underWay.add(counted)
  }

  /** Resolves when every wrong code is counted, and its mail begun. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #missed(userId: string, { ip, userAgent, languages = [] }: RequestInfo): Promise<void> {
    if (!(await this.#isWorthAMail(userId))) return
    const actor = { kind: 'user', id: userId } as const
    const who = { actor, user: userId, ip, userAgent }
    const nothing = { method: null, reason: null, detail: null }
    const at = new Date(this.#now())
    void this.#mailer.send({ type: 'wrong-code', ...who, at, ...nothing }, languages)
  }

  /** If the count is unavailable, sends no mail instead of refusing: a lost count harms nobody. */
  async #isWorthAMail(userId: string): Promise<boolean> {
    try {
      const { taken, left } = await this.#inARow.take(userId, WRONG_CODES_IN_A_ROW)
      return !taken || left === 0
    } catch {
      return false
    }
  }

  /**
   * Gives places back one after another: in parallel it could give back more than there were. Never
   * rejects.
   */
  async #endRow(userId: string): Promise<void> {
    try {
      const codes = await this.#inARow.taken(userId)
      for (let code = 0; code < codes; code += 1) {
        await this.#inARow.giveBack(userId)
      }
    } catch {
      // The row of misses continues: at worst, one mail too many.
    }
  }
}
