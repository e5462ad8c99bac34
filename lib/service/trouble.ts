import { MINUTE_MS } from '../domain/units.js'
import { textOf } from '../errors/text-of.js'
import type { System } from '../ports/system.js'

const SAID_FOR = MINUTE_MS
const REMEMBERED_AT_MOST = 100
const END = 200

/**
 * Tells the operator why visitors are refused: they see no cause. A process warning, once a minute
 * for each cause, so that an outage does not fill the log.
 */
export class Trouble {
  readonly #system: System
  readonly #said = new Map<string, number>()

  constructor(system: System) {
    this.#system = system
  }

  /** @param error what failed; its cause is named too, without its own properties (they hold data) */
  report(error: unknown): void {
    const text = [error, Reflect.get(Object(error), 'cause')].flatMap(messageOf).join(': ')
    const now = this.#system.now()
    const before = this.#said.get(text)
    if (before !== undefined && now < before + SAID_FOR) return
    if (this.#said.size >= REMEMBERED_AT_MOST) this.#said.clear()
    this.#said.set(text, now)
    process.emitWarning(`passport-second-step: ${text}`)
  }
}

function messageOf(error: unknown): readonly string[] {
  if (error === undefined) return []
  const text = textOf(error)
  // A database driver repeats its statement, whole record and all, before it says what was wrong.
  return [text.length <= 2 * END ? text : `${text.slice(0, END)} … ${text.slice(-END)}`]
}
