import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import { listPlaceOf } from '../domain/record-list.js'
import type { TokenClaim } from '../domain/serial-claim.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { rowOf } from './knex-audit-log.js'
import { type Database, hasTimedOut, jsonOf, TABLES, wasAborted } from './knex-client.js'
import type { Find } from './knex-reads.js'
import { ADD_RECORD, PLACES, REPLACE_RECORD, THE_POLICY, withEntries } from './knex-sql.js'
import { hashOf } from './list-cursor.js'

type Place = (typeof PLACES)[number]

interface Row extends Partial<Readonly<Record<Place, number | null>>> {
  readonly id: string
  readonly version: number
  readonly document: string
}

/** What is sent: a row, which version it replaces (0: none), and what is added to the audit log. */
interface Change {
  readonly table: Parameters<Find>[0]
  readonly row: Row
  readonly replaces: number
  readonly entries: readonly AuditEntry[]
}

/** Answers whether the row was put in place. Changes nothing if not, or if it rejects. */
type Put = (change: Change) => Promise<boolean>

interface Versioned {
  readonly version: number
  readonly writeId: string
}

/** Changes documents by compare-and-set. */
export class KnexWrites {
  readonly #read: Find
  readonly #put: Put
  readonly #putRecord: Put
  readonly #inTransaction: boolean
  /**
   * Whether records are written with entries here. Only PostgreSQL has a statement that writes two tables. A
   * transaction keeps a record locked over several round trips: in a burst of codes others waited too long.
   */
  readonly hasEntries: boolean

  /** @param read a stored document; null where there is none */
  constructor(database: Database, read: Find) {
    this.#read = read
    this.#put = putBuilt(database)
    this.#inTransaction = database.inTransaction
    this.hasEntries = database.dialect === 'postgresql'
    this.#putRecord = this.hasEntries ? putInOneStatement(database) : this.#put
  }

  /** As `writeWith` of the port; without entries as `write`. */
  record(
    record: SecondStepRecord,
    replaces: number,
    entries: readonly AuditEntry[],
  ): Promise<boolean> {
    const { since, lockedUntil, pausedUntil, mailResetDue } = listPlaceOf(record)
    const until = { locked_until: lockedUntil, paused_until: pausedUntil }
    const place = { since, ...until, mail_reset_due: mailResetDue }
    const row = { ...place, ...rowWith(hashOf(record.userId), record) }
    const change = { table: TABLES.records, row, replaces, entries }
    return this.#compareAndSet(change, record, this.#putRecord)
  }

  /** As `writePolicy` of the port. */
  policy(policy: Policy, replaces: number): Promise<boolean> {
    const row = rowWith(THE_POLICY, policy)
    const change = { table: TABLES.policy, row, replaces, entries: [] }
    return this.#compareAndSet(change, policy, this.#put)
  }

  /** As `writeSerial` of the port. */
  serial(claim: TokenClaim, replaces: number): Promise<boolean> {
    const row = rowWith(hashOf(claim.serial), claim)
    const change = { table: TABLES.serials, row, replaces, entries: [] }
    return this.#compareAndSet(change, claim, this.#put)
  }

  async #compareAndSet(change: Change, document: Versioned, put: Put): Promise<boolean> {
    const { table, row, replaces } = change
    try {
      if (await put(change)) return true
    } catch (error) {
      // The host is to know that its transaction is undone.
      if (wasAborted(error) && this.#inTransaction) throw error
      // Under `serializable` a lost race is an error.
      if (wasAborted(error)) return this.#isStored(change, document)
      if (hasTimedOut(error) || replaces !== 0) throw error
      // Either another write was first, or the database has failed. The row shows which, on any
      // database.
      const stored = await this.#read(table, row.id)
      if (stored === null) throw error
      return isSameWrite(stored, document)
    }
    return this.#isStored(change, document)
  }

  async #isStored({ table, row }: Change, document: Versioned): Promise<boolean> {
    return isSameWrite(await this.#read(table, row.id), document)
  }
}

/** For documents without entries. */
function putBuilt({ db, answerOf }: Database): Put {
  return async ({ table, row, replaces }) => {
    const { id, ...changed } = row
    if (replaces > 0) {
      return (await answerOf(db(table).where({ id, version: replaces }).update(changed))) === 1
    }
    await answerOf(db(table).insert(row))
    return true
  }
}

function putInOneStatement({ statement }: Database): Put {
  const alone = { add: statement(ADD_RECORD), replace: statement(REPLACE_RECORD) }
  const noted = {
    add: statement(withEntries(ADD_RECORD)),
    replace: statement(withEntries(REPLACE_RECORD)),
  }
  return async ({ row, replaces, entries }) => {
    const { id, version, document } = row
    const values = [document, version, ...PLACES.map((place) => row[place] ?? null), id]
    if (replaces > 0) values.push(replaces)
    if (entries.length > 0) values.push(jsonOf(entries.map(rowOf)))
    const { add, replace } = entries.length > 0 ? noted : alone
    const written = await (replaces > 0 ? replace : add)(values)
    return written.length === 1
  }
}

function rowWith(id: string, document: Versioned): Row {
  return { id, version: document.version, document: jsonOf(document) }
}

/** Whether this write is already the stored one: its answer was lost, and it was sent again. */
function isSameWrite(stored: object | null, { writeId }: Versioned): boolean {
  return stored !== null && Reflect.get(stored, 'writeId') === writeId
}
