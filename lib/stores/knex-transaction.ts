import type { Knex } from 'knex'
import { type Database, hasTimedOut } from './knex-client.js'

/** A query that was built and not sent yet. */
type Query = Knex.QueryBuilder | Knex.Raw

/**
 * Runs queries in a transaction. Unlike Knex's own, each of its statements has the time limit of a query,
 * also those that begin and end it, so that a database that hangs does not use up the pool.
 *
 * @param run gets what sends a query in the transaction; if it rejects, nothing was changed
 */
export async function inTransaction<T>(
  { db, answerOf }: Database,
  run: (answerOf: (query: Query) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const connection: object = await db.client.acquireConnection()
  const send = (query: Query) => answerOf(query.connection(connection))
  try {
    await send(db.raw('begin'))
    const result = await run(send)
    await send(db.raw('commit'))
    return result
  } catch (error) {
    if (hasTimedOut(error)) endNow(connection)
    else await send(db.raw('rollback')).catch(() => endNow(connection))
    throw error
  } finally {
    db.client.releaseConnection(connection)
  }
}

/** The server undoes the transaction of a lost connection, and lets go of its locks. */
function endNow(connection: object): void {
  // Knex's own mark: its pool hands no such connection out again.
  Reflect.set(connection, '__knex__disposed', new Error('its transaction did not end'))
  const destroy: unknown = Reflect.get(connection, 'destroy')
  if (typeof destroy === 'function') Reflect.apply(destroy, connection, [])
}
