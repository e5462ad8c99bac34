import { databaseOf, TABLES } from './knex-client.js'
import type { KnexInstance } from './knex-instance.js'
import { VERSIONS } from './knex-tables.js'
import { versionOf } from './knex-version.js'

// The package's declarations lead to this file, and must not load the optional package of Knex: what
// needs its types is in other files.

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
