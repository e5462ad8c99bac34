import type { Knex } from 'knex'
import { ConfigurationError } from '../errors/configuration-error.js'
import { type Database, databaseOf, TABLES } from './knex-client.js'
import type { KnexInstance } from './knex-instance.js'

type Statement = (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder

const records: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.records, (table) => {
      table.string('id', 64).notNullable().primary()
      table.integer('version').notNullable()
      table.text('document', 'mediumtext').notNullable()
      table.bigInteger('since')
      table.bigInteger('locked_until')
      table.bigInteger('paused_until')
    }),
  indexed(TABLES.records, 'since'),
  indexed(TABLES.records, 'locked_until'),
  indexed(TABLES.records, 'paused_until'),
]

const policy: Statement = (schema) =>
  schema.createTable(TABLES.policy, (table) => {
    table.string('id', 64).notNullable().primary()
    table.integer('version').notNullable()
    table.text('document', 'mediumtext').notNullable()
  })

const events: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.events, (table) => {
      table.string('id', 30).notNullable().primary()
      table.string('user_id', 64).notNullable()
      table.bigInteger('at').notNullable()
      table.text('document', 'mediumtext').notNullable()
    }),
  indexed(TABLES.events, 'user_id'),
]

const mailResets: readonly Statement[] = [
  (schema) =>
    schema.alterTable(TABLES.records, (table) => {
      table.bigInteger('mail_reset_due')
    }),
  indexed(TABLES.records, 'mail_reset_due'),
]

const counters: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.counters, (table) => {
      table.string('id', 64).notNullable().primary()
      table.bigInteger('taken').notNullable()
      table.bigInteger('ends').notNullable()
    }),
  indexed(TABLES.counters, 'ends'),
]

/**
 * The additions of each version. Statements only add, and each is independent: if another process
 * was faster, or a killed process got that far, a statement may fail as "already there".
 */
const VERSIONS: readonly (readonly Statement[])[] = [
  [...records, policy, ...events],
  mailResets,
  counters,
]

/** Sorted by one column and then by id, as pages are. */
function indexed(table: string, column: string): Statement {
  return (schema) =>
    schema.alterTable(table, (change) => {
      change.index([column, 'id'], `${table}_${column}`)
    })
}

/**
 * Brings the tables of `knexStore` to the version of this package: adds what is missing, and keeps
 * what is there. You can run it again, and in several processes at once. Call it in a migration of
 * your own, or run `npx passport-second-step migrate`.
 *
 * @returns whether anything was missing
 * @example
 * export const up = (knex) => migrateSecondStep(knex)
 * export const down = async () => {} // second steps are not thrown away
 */
export async function migrateSecondStep(knex: KnexInstance): Promise<boolean> {
  const database = databaseOf(knex, {}, 'migrateSecondStep')
  const { db } = database
  if (!(await db.schema.hasTable(TABLES.schema))) {
    await orAlreadyThere(
      db.schema.createTable(TABLES.schema, (table) => {
        table.integer('version').notNullable().primary()
      }),
    )
  }
  const present = await versionOf(database)
  for (const [index, statements] of VERSIONS.entries()) {
    if (index < present) continue
    for (const statement of statements) await orAlreadyThere(statement(db.schema))
    await orAlreadyThere(db(TABLES.schema).insert({ version: index + 1 }))
  }
  return present < VERSIONS.length
}

/** @throws ConfigurationError where the tables are missing or older than this package */
export async function requireMigrated(database: Database): Promise<void> {
  const present = await versionOf(database).catch((error: unknown) => {
    if (isMissingTable(error)) return 0
    throw error
  })
  if (present >= VERSIONS.length) return
  const found = present === 0 ? 'has no tables' : `has version ${present} of the tables`
  throw new ConfigurationError(
    `the database ${found} of the second step, which needs version ${VERSIONS.length}: run "npx passport-second-step migrate --config FILE"`,
  )
}

async function versionOf({ db, rowsOf }: Database): Promise<number> {
  const [row] = await rowsOf(db(TABLES.schema).max({ version: 'version' }))
  return Number(Reflect.get(Object(row), 'version') ?? 0)
}

function isMissingTable(error: unknown): boolean {
  const code: unknown = Reflect.get(Object(error), 'code')
  const sqlite = error instanceof Error && error.message.includes('no such table')
  return sqlite || code === '42P01' || code === 'ER_NO_SUCH_TABLE'
}

const ALREADY_THERE = [
  // PostgreSQL: duplicate table, index or column, and what a race for one in its catalogue ends in.
  ...['42P07', '42710', '42701', '23505'],
  ...['ER_TABLE_EXISTS_ERROR', 'ER_DUP_KEYNAME', 'ER_DUP_FIELDNAME', 'ER_DUP_ENTRY'],
  // SQLite: duplicate of the row with the version.
  ...['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT'],
]

const SQLITE_ALREADY_THERE = / already exists$|duplicate column name: \w+$/

async function orAlreadyThere(statement: PromiseLike<unknown>): Promise<void> {
  try {
    await statement
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code')
    const sqlite = error instanceof Error && SQLITE_ALREADY_THERE.test(error.message)
    if (!sqlite && !ALREADY_THERE.includes(String(code))) throw error
  }
}
