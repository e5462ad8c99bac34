import { EventEmitter } from 'node:events'
import type { Actor, EventDetails, SecondStepEvent, SecondStepEventType } from '../domain/event.js'
import type { Method } from '../domain/stamp.js'
import { explain } from '../errors/explain.js'
import type { AuditEntry } from '../ports/audit-log.js'
import type { System } from '../ports/system.js'
import type { Audit } from './audit.js'

/** The request that caused an event. */
export interface RequestInfo {
  readonly ip: string | null
  readonly userAgent: string | null
  /** Who did it. Default: the user. */
  readonly actor?: Actor
  /** What an admin gave as the reason. Default: none. */
  readonly reason?: string | null
  /** The request's languages as BCP 47 tags, best first. Default: unknown. */
  readonly languages?: readonly string[]
}

/** The host's own code as the actor. */
export const SYSTEM: Actor = { kind: 'system', id: null }

/** The request info of actions by the host's own code, outside any request. */
export const NO_REQUEST: RequestInfo = { ip: null, userAgent: null, actor: SYSTEM }

/** An event of one type. */
export interface Announced<T extends SecondStepEventType> {
  readonly type: T
  readonly actor: Actor
  /** The host's id of the user whose second step it is. Null for an event about no single user. */
  readonly user: string | null
  /** How a code was given, or null where none was. */
  readonly method: Method | null
  readonly at: Date
  readonly ip: string | null
  readonly userAgent: string | null
  /** What an admin gave as the reason, or null. */
  readonly reason: string | null
  readonly detail: EventDetails[T]
}

/** An event as listeners get it: what happened to whom, who did it, when, and from where. */
export type AnnouncedEvent<T extends SecondStepEventType = SecondStepEventType> = {
  [K in T]: Announced<K>
}[T]

/** The arguments of a listener to each name. */
export type Listeners = { [T in SecondStepEventType]: [AnnouncedEvent<T>] } & {
  event: [AnnouncedEvent]
}

/** The emitter `secondStep.events`: emits each event under its type, and also under `event`. */
export class SecondStepEvents extends EventEmitter<Listeners> {
  static override readonly name: string = 'SecondStepEvents'
}

/** A part of the package that receives each event, with the request's languages. */
export type Told = (event: AnnouncedEvent, languages: readonly string[]) => void

/** Events that are to be announced once their decision is written. */
export interface Announcement {
  readonly entries: readonly AuditEntry[]
  /** Tells the listeners. Never throws. */
  tell(): void
}

/** Passes decided and written events on to the listeners and the audit log. */
export class Announcer {
  readonly events = new SecondStepEvents()
  readonly #system: System
  readonly #audit: Audit | null
  readonly #hostId: (recordId: string) => string
  readonly #told: Told[] = []

  /** @param hostId the id that the host knows a user of the records by; listeners get that one */
  constructor(
    system: System,
    audit: Audit | null = null,
    hostId: (recordId: string) => string = (recordId) => recordId,
  ) {
    this.#system = system
    this.#audit = audit
    this.#hostId = hostId
  }

  /** Adds a part of the package. Hosts listen to `events`. */
  tell(told: Told): void {
    this.#told.push(told)
  }

  /**
   * Resolves when the audit log has the events. If it fails, the request is refused (promise 7),
   * although the record is already written: the code is burned and the try is counted, but nobody
   * gets in or learns a verdict without an entry in the log. A failing listener delays nobody.
   *
   * @throws UnavailableError where the audit log does not take them
   */
  async announce(
    userId: string | null,
    events: readonly SecondStepEvent[],
    requestInfo: RequestInfo,
  ): Promise<void> {
    await this.publish(this.prepare(userId, events, requestInfo))
  }

  /** The events of a decision that is not written yet, with their entries for the audit log. */
  prepare(
    userId: string | null,
    events: readonly SecondStepEvent[],
    requestInfo: RequestInfo,
  ): Announcement {
    if (events.length === 0) return { entries: [], tell: () => undefined }
    const { ip, userAgent, reason = null, languages = [] } = requestInfo
    const actor = requestInfo.actor ?? { kind: 'user', id: userId }
    const at = this.#system.now()
    const user = userId
    const announced = events.map(({ type, method, detail = null }) => {
      const date = new Date(at)
      const told = { type, actor, user, method, at: date, ip, userAgent, reason, detail }
      return told as AnnouncedEvent
    })
    return {
      entries: announced.map((event, index) => this.#entryOf(event, at, index)),
      tell: () => {
        for (const event of announced) this.#announce(event, languages)
      },
    }
  }

  /**
   * As `announce`.
   *
   * @param tookPlace whether a change has taken place, so that the log is given later what it does not take
   */
  async publish({ entries, tell }: Announcement, { tookPlace = false } = {}): Promise<void> {
    tell()
    if (entries.length > 0) await this.#audit?.append(entries, { tookPlace })
  }

  /** Its id sorts by time, then in the order of the decision; beyond that by chance. */
  #entryOf(event: AnnouncedEvent, at: number, index: number): AuditEntry {
    const random = Buffer.from(this.#system.random(8)).toString('hex')
    const { type, actor, user, method, ip, userAgent, reason, detail: told } = event
    const detail: AuditEntry['detail'] = told === null ? null : JSON.parse(JSON.stringify(told))
    const id = `${hex(at, 12)}${hex(index, 2)}${random}`
    return { type, actor, user, method, at, ip, userAgent, reason, detail, id }
  }

  #announce(event: AnnouncedEvent, languages: readonly string[]): void {
    for (const told of this.#told) told(event, languages)
    const { events } = this
    if (events.listenerCount(event.type) + events.listenerCount('event') === 0) return
    const { user, actor } = event
    const hostId = (id: string | null) => (id === null ? null : this.#hostId(id))
    const hosts = { ...event, user: hostId(user), actor: { ...actor, id: hostId(actor.id) } }
    for (const name of [event.type, 'event'] as const) this.#emit(name, hosts as AnnouncedEvent)
  }

  /** Does not use `emit`: a listener that throws would keep the event from the others. */
  #emit(name: SecondStepEventType | 'event', event: AnnouncedEvent): void {
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

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of secondStep.events failed: ${explain(error)}`)
}
