import { type Database, TABLES } from '../stores/knex-client.js'
import { commitsAlone } from './knex-commit.js'

const TAKES_BETWEEN = 100
// More rows than are created meanwhile, and few enough for a query's time limit.
const REMOVED_AT_ONCE = 500

/**
 * Removes rows whose window is over, at a process's first take and at every hundredth after it.
 * Nobody waits for it, and the next run removes the rest. Not in a transaction of the host's: nobody would hear that it
 * was undone.
 *
 * @param now the database's clock, in SQL
 */
export function sweeper(database: Database, now: string): () => void {
  let takes = 0
  let sweeping = false
  return () => {
    takes += 1
    if (database.inTransaction || sweeping || takes % TAKES_BETWEEN !== 1) return
    sweeping = true
    sweep(database, now)
      .catch(() => undefined)
      .finally(() => {
        sweeping = false
      })
  }
}

/**
 * In two statements: no one of them knows a limit for what it deletes on every database. On PostgreSQL it
 * passes over rows that are locked: it deletes in any order, and attempts lock in the order of the ids.
 */
async function sweep(database: Database, now: string): Promise<void> {
  const { db, dialect, answerOf, rowsOf } = database
  const over = () => db(TABLES.counters).whereRaw(`?? <= ${now}`, ['ends'])
  const rows = await rowsOf(over().select('id').orderBy('ends').limit(REMOVED_AT_ONCE))
  const ids = rows.map((row) => String(Reflect.get(row, 'id')))
  if (ids.length === 0) return
  const found = over().whereIn('id', ids)
  const unlocked = found.clone().select('id').forUpdate().skipLocked()
  const removed = dialect === 'postgresql' ? over().whereIn('id', unlocked) : found
  const alone = commitsAlone(database)
  if (alone !== null) removed.whereRaw(alone)
  await answerOf(removed.delete())
}
