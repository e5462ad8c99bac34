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
export class SecondStepEvents extends EventEmitter<Record<string, [AnnouncedEvent]>> {}

/** Tells listeners what was decided and written. A listener that fails holds nobody up. */
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

  /** Not `emit`: a listener that throws would keep the others from hearing of it. */
  #emit(name: string, event: AnnouncedEvent): void {
    for (const listener of this.events.rawListeners(name)) {
      try {
        const done: unknown = Reflect.apply(listener, this.events, [event])
        // A rejection that nobody handles would end the process.
        Promise.resolve(done).catch(warn)
      } catch (error) {
        warn(error)
      }
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of secondStep.events failed: ${String(error)}`)
}
