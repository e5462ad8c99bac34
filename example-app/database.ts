import knex, { type Knex } from 'knex'
import { migrateSecondStep } from 'passport-second-step'
import { StartError } from './settings.js'
import { createUsersTable } from './sql-users.js'
import { LibsqlClient } from './sqlite.js'

// Requests that were refused must not go on waiting for a connection.
const PATIENCE = 1000

/**
 * Connects to PostgreSQL, MariaDB, MySQL or SQLite and makes the tables that are missing.
 *
 * @throws StartError where it does not answer
 */
export async function openDatabase(url: string): Promise<Knex> {
  const db = knex({ ...settingsFor(url), acquireConnectionTimeout: PATIENCE })
  try {
    await createUsersTable(db)
    await migrateSecondStep(db)
    return db
  } catch (cause) {
    await db.destroy()
    const place = url.startsWith('sqlite:') ? url : `The database at ${new URL(url).host}`
    throw new StartError(`${place} does not answer: start it or fix DATABASE_URL.`, { cause })
  }
}

/** How Knex connects to what a DATABASE_URL names. */
export function settingsFor(url: string): Knex.Config {
  if (/^postgres(ql)?:/.test(url)) return { client: 'pg', connection: url, pool: { min: 0 } }
  if (/^(mysql|mariadb):/.test(url)) {
    const connection = url.replace(/^mariadb:/, 'mysql:')
    return { client: 'mysql2', connection, pool: { min: 0 } }
  }
  const filename = url.replace(/^sqlite:(\/\/)?/, '')
  return { client: LibsqlClient, connection: { filename }, useNullAsDefault: true, pool: SQLITE }
}

/** One connection a process, and patience with the others. */
const SQLITE: Knex.PoolConfig = {
  min: 1,
  max: 1,
  afterCreate: (connection: { exec(sql: string): void }, done: () => void) => {
    connection.exec(`pragma busy_timeout = ${PATIENCE - 100}; pragma journal_mode = wal`)
    done()
  },
}
