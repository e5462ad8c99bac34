import { ConfigurationError } from '../errors/configuration-error.js'
import { type Database, TABLES } from './knex-client.js'
import { VERSIONS } from './knex-tables.js'

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

/** The version that the tables are in. 0 if none is complete. */
export async function versionOf({ db, rowsOf }: Database): Promise<number> {
  const [row] = await rowsOf(db(TABLES.schema).max({ version: 'version' }))
  return Number(Reflect.get(Object(row), 'version') ?? 0)
}

function isMissingTable(error: unknown): boolean {
  const code: unknown = Reflect.get(Object(error), 'code')
  const sqlite = error instanceof Error && error.message.includes('no such table')
  return sqlite || code === '42P01' || code === 'ER_NO_SUCH_TABLE'
}
