declare module 'knex/lib/dialects/better-sqlite3/index.js' {
  import { knex } from 'knex'

  /** Knex's own client for better-sqlite3, of which it has no types. */
  export default class Client_BetterSQLite3 extends knex.Client {
    _driver(): unknown
  }
}
