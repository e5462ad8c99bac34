import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { TokenClaim } from '../domain/serial-claim.js'
import { checkNoOptions } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { RecordStore, WriteWithEntries } from '../ports/record-store.js'
import { memoryAuditLog } from './memory-audit-log.js'
import { memoryPage, type Placed, placed } from './memory-list.js'

interface Versioned {
  readonly version: number
  readonly writeId: string
}

/** The JSON of one document, changed by compare-and-set. */
class Slot<Document extends Versioned> {
  #json: string | null = null

  read(): Document | null {
    return this.#json === null ? null : JSON.parse(this.#json)
  }

  write(document: Document, expectedVersion: number): boolean {
    const stored = this.read()
    if (stored?.writeId === document.writeId) return true
    if ((stored?.version ?? 0) !== expectedVersion) return false
    this.#json = JSON.stringify(document)
    return true
  }
}

let warned = false

/**
 * Keeps the records in this process, for development and tests: a restart forgets them, and then
 * the password alone opens every account.
 *
 * @throws ConfigurationError in production
 */
export function memoryStore(...none: never[]): RecordStore {
  checkNoOptions(none, 'memoryStore()')
  if (process.env.NODE_ENV === 'production') refuse()
  const records = new Map<string, Slot<SecondStepRecord>>()
  const policy = new Slot<Policy>()
  const serials = new Map<string, Slot<TokenClaim>>()
  const audit = memoryAuditLog()

  const places = new Map<string, Placed>()
  const put = (record: SecondStepRecord, expectedVersion: number) => {
    const slot = slotOf(records, record.userId)
    const isSentAgain = slot.read()?.writeId === record.writeId
    const won = slot.write(record, expectedVersion)
    const isNew = won && !isSentAgain
    if (isNew) {
      places.set(
        record.userId,
        placed(record.userId, () => slot.read() ?? record),
      )
    }
    return { won, isNew }
  }
  const write: RecordStore['write'] = async (record, expectedVersion) =>
    put(record, expectedVersion).won
  const writeWith: WriteWithEntries = {
    write,
    audit,
    async run(record, expectedVersion, entries) {
      const { won, isNew } = put(record, expectedVersion)
      if (isNew) await audit.append(entries)
      return won
    },
  }

  return {
    find: async (userId) => records.get(userId)?.read() ?? null,
    write,
    writeWith,
    findPolicy: async () => policy.read(),
    writePolicy: async (document, expectedVersion) => policy.write(document, expectedVersion),

    findSerial: async (serial) => serials.get(serial)?.read() ?? null,
    writeSerial: async (claim, expectedVersion) =>
      slotOf(serials, claim.serial).write(claim, expectedVersion),

    async list(query) {
      const page = memoryPage(places.values(), query)
      if (page === null) return null
      const found = page.userIds.flatMap((userId) => records.get(userId)?.read() ?? [])
      return { records: found, next: page.next }
    },
    count: async () => places.size,
    audit,

    async open({ production }) {
      if (production) refuse()
      if (!warned) process.emitWarning('memoryStore() forgets every second step at a restart')
      warned = true
    },
  }
}

function slotOf<Document extends Versioned>(
  slots: Map<string, Slot<Document>>,
  key: string,
): Slot<Document> {
  const slot = slots.get(key) ?? new Slot<Document>()
  slots.set(key, slot)
  return slot
}

function refuse(): never {
  throw new ConfigurationError(
    'memoryStore() forgets every second step at a restart and refuses production: use store: redisStore(redis) or knexStore(db)',
  )
}
