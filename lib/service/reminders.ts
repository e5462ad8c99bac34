import { HOUR_MS, HOUR_S, MINUTE_MS } from '../domain/units.js'
import type { System } from '../ports/system.js'
import type { FailureReporter } from './failure-reporter.js'
import { type Looked, lookForReminders, type ReminderParts } from './reminder-look.js'

interface Parts extends ReminderParts {
  readonly system: Pick<System, 'random'>
  readonly failureReporter: Pick<FailureReporter, 'report'>
}

/**
 * Mails users before their days of grace end. Every process looks once an hour; a place in the counters lets one of them
 * go through the users.
 */
export class Reminders {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Starts polling. The timer is unref'd. */
  start(): void {
    this.#lookIn(MINUTE_MS + this.#upTo(10 * MINUTE_MS))
  }

  /** Stops polling. Resolves when the mail under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /**
   * Goes through the users at once.
   *
   * @param dry true: counts them, and mails nothing
   * @throws UnavailableError where users, records, counters or the audit log fail
   */
  remind(dry: boolean): Promise<Looked> {
    return lookForReminders(this.#parts, dry, () => this.#stopped)
  }

  /** Goes through the users, unless another process does so this hour. Never rejects. */
  async look(): Promise<void> {
    const { counters, failureReporter } = this.#parts
    try {
      const { taken } = await counters.counter('reminder-looks', HOUR_S).take('look', 1)
      if (taken) await this.remind(false)
    } catch (error) {
      failureReporter.report(error)
    }
  }

  #lookIn(milliseconds: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#looking = this.look().finally(() => this.#lookIn(HOUR_MS + this.#upTo(MINUTE_MS)))
    }, milliseconds)
    this.#timer.unref()
  }

  /** Processes that start together must not ask together. */
  #upTo(milliseconds: number): number {
    const { system, failureReporter } = this.#parts
    try {
      const [byte = 0] = system.random(1)
      return Math.floor((byte / 256) * milliseconds)
    } catch (error) {
      // Nobody handles what a timer throws. The next look is worth more than its moment.
      failureReporter.report(error)
      return milliseconds
    }
  }
}
