import { MINUTE_MS } from '../domain/units.js'
import { explain } from '../errors/explain.js'
import type { System } from '../ports/system.js'

const SAID_FOR = MINUTE_MS
const REMEMBERED_AT_MOST = 100

/**
 * Emits the cause of a 503 as a process warning, because visitors do not see it. At most once a
 * minute per cause, so that an outage does not fill the log.
 */
export class FailureReporter {
  readonly #system: System
  readonly #said = new Map<string, number>()

  constructor(system: System) {
    this.#system = system
  }

  /**
   * Never throws: what fails may be the host's clock.
   *
   * @param error what failed; its causes are told too, without passwords and their own properties (they hold data)
   */
  report(error: unknown): void {
    const text = explain(error)
    const now = this.#now()
    const before = this.#said.get(text)
    // A clock that was ahead must not silence a cause until its time comes.
    if (before !== undefined && now >= before && now < before + SAID_FOR) return
    if (this.#said.size >= REMEMBERED_AT_MOST) this.#said.clear()
    this.#said.set(text, now)
    process.emitWarning(`passport-second-step: ${text}`)
  }

  #now(): number {
    try {
      return this.#system.now()
    } catch {
      return Number.NaN
    }
  }
}
