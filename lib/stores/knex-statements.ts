import { createHash } from 'node:crypto'
import type { Knex } from 'knex'

/** A value of a statement. Lists are for PostgreSQL. */
export type Value = string | number | null | string[]

/** A statement that can be sent again and again, each time with other values. */
export interface Statement {
  /** What Knex sends when it is waited for. */
  with(values: readonly Value[]): Knex.Raw
  /**
   * The same without a name, if that is what has failed: the database has done nothing then. Null for any
   * other error.
   */
  withoutName(error: unknown, values: readonly Value[]): Knex.Raw | null
}

/** What answers a statement of fixed text on each database. */
export type Dialect = 'postgresql' | 'mysql' | 'sqlite3'

const DIALECTS: readonly string[] = ['postgresql', 'mysql', 'sqlite3'] satisfies Dialect[]

/** Null for a database that the package's own SQL is not written for. */
export function dialectOf(db: Knex): Dialect | null {
  const name = String(Reflect.get(Object(db.client), 'dialect'))
  return DIALECTS.includes(name) ? (name as Dialect) : null
}

/** Whether it is CockroachDB, which Knex takes for PostgreSQL. */
export function isCockroach(db: Knex): boolean {
  return driverOf(db) === 'cockroachdb'
}

/**
 * Makes statements of fixed text: to build one by Knex takes the app longer than to wait for its answer. On
 * PostgreSQL they have a name as well, so that the server parses and plans each once a connection.
 */
export class Statements {
  readonly #db: Knex
  readonly #isPg: boolean
  #named: boolean

  constructor(db: Knex) {
    this.#db = db
    this.#isPg = driverOf(db) === 'pg'
    // A failed statement would end the host's transaction.
    this.#named = this.#isPg && db.isTransaction !== true
  }

  /** @param text with `?` for each value, and with names of tables and columns in brackets */
  statement(text: string): Statement {
    const sql = text.replace(/\[(\w+)\]/g, (_, name: string) =>
      this.#db.raw('??', [name]).toQuery(),
    )
    const name = `second-step-${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`
    const unnamed = this.#isPg ? this.#numbered(sql) : this.#filledIn(sql)
    return {
      with: (values) => (this.#named ? unnamed(values).options({ name }) : unnamed(values)),
      withoutName: (error, values) => {
        if (!isAboutName(error)) return null
        this.#named = false
        return unnamed(values)
      },
    }
  }

  /**
   * As the driver itself takes it. Knex would look for the places of the values in the text each time, which
   * takes a fifth of what it takes to send a statement.
   */
  #numbered(sql: string): (values: readonly Value[]) => Knex.Raw {
    let places = 0
    const text = sql.replaceAll('?', () => {
      places += 1
      return `$${places}`
    })
    return (values) => {
      if (values.length !== places) throw new Error('a statement without some of its values')
      return this.#db.raw(text).options({ values: [...values] })
    }
  }

  #filledIn(sql: string): (values: readonly Value[]) => Knex.Raw {
    return (values) => this.#db.raw(sql, [...values])
  }
}

/**
 * A proxy such as PgBouncer can hand each statement to another connection of its own, which knows no
 * statement by this name, or has it already; and `DISCARD ALL` forgets them.
 */
function isAboutName(error: unknown): boolean {
  return ['26000', '42P05'].includes(String(Reflect.get(Object(error), 'code')))
}

function driverOf(db: Knex): unknown {
  return Reflect.get(Object(db.client), 'driverName')
}
