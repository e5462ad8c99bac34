import { EventEmitter } from 'node:events'
import type { SecondStepEvent } from '../domain/event.js'
import type { System } from '../ports/system.js'

/** Where something happened: whose request it was. */
export interface Occasion {
  readonly ip: string | null
  readonly userAgent: string | null
}

/** An event as listeners get it: what happened to whom, when, and from where. */
export interface AnnouncedEvent extends SecondStepEvent, Occasion {
  readonly userId: string
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

/** Tells listeners what was decided and written. A listener that throws holds nobody up. */
export class Announcer {
  readonly events = new SecondStepEvents()
  readonly #system: System

  constructor(system: System) {
    this.#system = system
  }

  announce(userId: string, events: readonly SecondStepEvent[], occasion: Occasion): void {
    for (const event of events) {
      const announced = { ...event, ...occasion, userId, at: new Date(this.#system.now()) }
      this.#emit(event.type, announced)
      this.#emit('event', announced)
    }
  }

  #emit(name: string, event: AnnouncedEvent): void {
    try {
      this.events.emit(name, event)
    } catch (error) {
      warn(error)
    }
  }
}
