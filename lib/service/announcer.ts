import { EventEmitter } from 'node:events'
import type { SecondStepEvent } from '../domain/event.js'
import type { System } from '../ports/system.js'
import type { Audit } from './audit.js'

/** Where something happened: whose request it was. */
export interface Occasion {
  readonly ip: string | null
  readonly userAgent: string | null
  /** Who did it, where that is not the user himself; null: the host's own code. */
  readonly actor?: string | null
}

/** An event as listeners get it: what happened to whom, by whom, when, and from where. */
export interface AnnouncedEvent extends SecondStepEvent, Occasion {
  readonly userId: string
  readonly actor: string | null
  readonly at: Date
}

/** What `secondStep.events` emits: each event under its type, and every one under `event`. */
export class SecondStepEvents extends EventEmitter<Record<string, [AnnouncedEvent]>> {
  constructor() {
    super({ captureRejections: true })
  }

  /** Called for a listener whose promise rejects: unhandled, it would end the process. */
  [Symbol.for('nodejs.rejection')](error: unknown): void {
    warn(error)
  }
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of secondStep.events failed: ${String(error)}`)
}

/** Tells listeners and the audit log what was decided and written. */
export class Announcer {
  readonly events = new SecondStepEvents()
  readonly #system: System
  readonly #audit: Audit | null

  constructor(system: System, audit: Audit | null = null) {
    this.#system = system
    this.#audit = audit
  }

  /**
   * Resolves when the audit log has the events. Where it has not, the answer to whoever caused them
   * is a refusal (promise 7), although the record is written already: the code is burned, the try is
   * counted, and nobody gets in or learns a verdict unseen. A listener that throws holds nobody up.
   *
   * @throws UnavailableError where the audit log does not take them
   */
  async announce(
    userId: string,
    events: readonly SecondStepEvent[],
    occasion: Occasion,
  ): Promise<void> {
    if (events.length === 0) return
    const { ip, userAgent, actor = userId } = occasion
    const now = this.#system.now()
    for (const event of events) {
      const announced = { ...event, userId, actor, ip, userAgent, at: new Date(now) }
      this.#emit(event.type, announced)
      this.#emit('event', announced)
    }
    const entries = events.map(({ type, method }, index) => {
      return { id: this.#idOf(now, index), at: now, type, actor, userId, method, ip, userAgent }
    })
    await this.#audit?.append(entries)
  }

  /** Sorted by time, then in the order of the decision; random beyond that. */
  #idOf(now: number, index: number): string {
    const random = Buffer.from(this.#system.random(8)).toString('hex')
    return `${hex(now, 12)}${hex(index, 2)}${random}`
  }

  #emit(name: string, event: AnnouncedEvent): void {
    try {
      this.events.emit(name, event)
    } catch (error) {
      warn(error)
    }
  }
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}
