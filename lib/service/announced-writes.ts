import type { SecondStepRecord } from '../domain/record.js'
import type { RecordStore } from '../ports/record-store.js'
import type { Announcement, Announcer } from './announcer.js'
import type { Audit } from './audit.js'

/** A write of a record that was not sent yet, and what is told of it. */
export interface AnnouncedWrite {
  readonly isAnnounced: boolean
  /** Answers as the store does. */
  send(): Promise<boolean>
  /** Call it once the write has taken place. Rejects as `Announcer.publish` does. */
  announce(): Promise<void>
  /** Call it if nobody will be told of it. Never rejects. */
  forget(): Promise<void>
}

/**
 * Makes writes whose events go into the audit log: by the very write, where the store keeps the log, or
 * else after it.
 */
export class AnnouncedWrites {
  readonly #store: RecordStore
  readonly #announcer: Announcer
  readonly #ownAudit: Audit | null

  /** @param ownAudit the log, if it is the one of the store's `writeWith` */
  constructor(store: RecordStore, announcer: Announcer, ownAudit: Audit | null) {
    this.#store = store
    this.#announcer = announcer
    this.#ownAudit = ownAudit
  }

  async prepare(record: SecondStepRecord, announcement: Announcement): Promise<AnnouncedWrite> {
    const { entries, tell } = announcement
    const expected = record.version - 1
    const { write, writeWith } = this.#store
    const isAnnounced = entries.length > 0
    // A host may have put another write in its place, which this one would lead past.
    const isOwn = writeWith?.write === write
    if (!isAnnounced || this.#ownAudit === null || writeWith === undefined || !isOwn) {
      return {
        isAnnounced,
        send: () => this.#store.write(record, expected),
        announce: () => this.#announcer.publish(announcement, { tookPlace: true }),
        forget: async () => undefined,
      }
    }
    const audit = this.#ownAudit
    const kept = await audit.toKeep(entries)
    return {
      isAnnounced,
      send: () => writeWith.run(record, expected, kept),
      announce: async () => tell(),
      forget: () => audit.giveBack(kept),
    }
  }
}
