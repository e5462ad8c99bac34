import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { TokenClaim } from '../domain/serial-claim.js'
import { knexCounters } from '../limits/knex-counters.js'
import type { RecordStore } from '../ports/record-store.js'
import { knexAuditLog } from './knex-audit-log.js'
import { databaseOf, documentOf, TABLES } from './knex-client.js'
import type { KnexInstance, KnexOptions } from './knex-instance.js'
import { knexCount, knexPage } from './knex-list.js'
import { migrateSecondStep } from './knex-migrations.js'
import { requirePrimary } from './knex-primary.js'
import { knexFind, knexRead } from './knex-reads.js'
import { THE_POLICY } from './knex-sql.js'
import { requireMigrated } from './knex-version.js'
import { KnexWrites } from './knex-writes.js'
import { hashOf } from './list-cursor.js'

/** A record store in a database, with its audit log, that can make its own tables. */
export interface KnexStore extends RecordStore {
  /** As `migrateSecondStep(knex)`. */
  migrate(): Promise<boolean>
}

/** What is known of one record among many. */
type Found = PromiseSettledResult<SecondStepRecord | null>

/**
 * Keeps records, policy, audit log and counters in the host's PostgreSQL, MariaDB, MySQL or SQLite, through
 * the host's own Knex. Its tables are made by `npx passport-second-step migrate` or by
 * `migrateSecondStep` in a migration of the host's; `open` refuses a database that is behind. A standby of PostgreSQL or a
 * read-only replica is refused, by `open` and by every read of a record or of the policy.
 *
 * Set `acquireConnectionTimeout` of Knex to the same as `timeout`, or requests that were refused long ago go on
 * waiting for a connection while the database is away.
 *
 * @throws ConfigurationError for anything that is no Knex instance, or a wrong option
 */
export function knexStore(knex: KnexInstance, options: KnexOptions = {}): KnexStore {
  const database = databaseOf(knex, options, 'knexStore')
  const { db, rowsOf } = database

  const read = knexFind(database)

  async function findMany(userIds: readonly string[]): Promise<readonly Found[]> {
    const ids = userIds.map(hashOf)
    const rows = await rowsOf(db(TABLES.records).select('id', 'document').whereIn('id', ids))
    const byId = new Map(
      rows.map((row): [unknown, Found] => [Reflect.get(row, 'id'), foundIn(row)]),
    )
    return ids.map((id) => byId.get(id) ?? { status: 'fulfilled', value: null })
  }

  const readBoth = knexRead(database)
  const audit = knexAuditLog(knex, options)
  const writes = new KnexWrites(database, read)
  const write: RecordStore['write'] = (record, expectedVersion) =>
    writes.record(record, expectedVersion, [])

  return {
    find: async (userId) => (await read(TABLES.records, hashOf(userId))) as SecondStepRecord | null,
    write,
    ...(writes.hasEntries && { writeWith: { write, audit, run: writes.record.bind(writes) } }),
    ...(readBoth && { read: readBoth }),
    findMany,
    findPolicy: async () => (await read(TABLES.policy, THE_POLICY)) as Policy | null,
    writePolicy: (policy, expectedVersion) => writes.policy(policy, expectedVersion),
    findSerial: async (serial) => (await read(TABLES.serials, hashOf(serial))) as TokenClaim | null,
    writeSerial: (claim, expectedVersion) => writes.serial(claim, expectedVersion),
    list: (query) => knexPage(database, query),
    count: () => knexCount(database),
    audit,
    // Made only when used: records can live in databases that counters do not support.
    get counters() {
      return knexCounters(knex, options)
    },
    async open() {
      await requirePrimary(database)
      await requireMigrated(database)
    },
    checks: { migration: () => requireMigrated(database) },
    migrate: () => migrateSecondStep(knex),
  }
}

function foundIn(row: object): Found {
  try {
    return { status: 'fulfilled', value: documentOf(row) as SecondStepRecord }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}
