import type { Knex } from 'knex'
import { LibsqlClient } from './sqlite.js'

/** Milliseconds. Requests that were refused must not go on waiting for a connection. */
export const PATIENCE = 1000

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
