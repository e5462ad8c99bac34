import { ConfigurationError } from '../errors/configuration-error.js'
import type { Database } from './knex-client.js'
import type { Dialect } from './knex-statements.js'

/**
 * The end of a statement that is to read on a primary alone, and answers no row elsewhere. Looked at by each
 * statement, because a proxy or a pool of several hosts may send each somewhere else. MariaDB 12 says it in words, and
 * a reader of Amazon Aurora by `innodb_read_only` alone.
 */
export const ON_PRIMARY: Readonly<Record<Dialect, string>> = {
  postgresql: 'where not pg_is_in_recovery()',
  mysql:
    "from dual where cast(@@global.read_only as char) in ('0', 'OFF') and cast(@@global.innodb_read_only as char) in ('0', 'OFF')",
  sqlite3: '',
}

const FIX =
  'Connect Knex to the primary alone, without a proxy that sends reads to others: an ended session or a used code may be good there'

/** What to throw where a statement that ends so has answered no row. */
export function notOnPrimary(dialect: Dialect): Error {
  if (dialect === 'postgresql') {
    return new ConfigurationError(
      `this PostgreSQL is a standby (pg_is_in_recovery()), and what it reads may be old. ${FIX}`,
    )
  }
  if (dialect === 'mysql') {
    return new ConfigurationError(
      `this database takes no writes (@@global.read_only, innodb_read_only): it is a replica, and what it reads may be old, or a primary that was made so. ${FIX}`,
    )
  }
  return new Error('the database answered nothing to a read')
}

/** @throws ConfigurationError where the database, as far as it tells, is no primary */
export async function requirePrimary({ dialect, statement }: Database): Promise<void> {
  if (dialect === null) return
  const rows = await statement(`select 1 as found ${ON_PRIMARY[dialect]}`)([])
  if (rows.length === 0) throw notOnPrimary(dialect)
}
