import { createRequire } from 'node:module'
import Sqlite from 'knex/lib/dialects/better-sqlite3/index.js'

const require = createRequire(import.meta.url)

/** SQLite without a compiler: Knex's client for better-sqlite3 on another driver of that shape. */
export class LibsqlClient extends Sqlite {
  override _driver() {
    return require('libsql')
  }
}
