import knex, { type Knex } from 'knex'
import { migrateSecondStep } from 'passport-second-step'
import { PATIENCE, settingsFor } from './database-url.js'
import { StartError } from './settings.js'
import { createUsersTable } from './sql-users.js'

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
