import type { Knex } from 'knex'

/** What one piece of work sent to a database. */
export interface SentStatements {
  /** The verb of each statement and the tables in it, such as `select records policy`. */
  readonly statements: readonly string[]
  /** How often a statement was sent after the answers of all before it: what a request waits for. */
  readonly trips: number
}

interface QueryEvent {
  readonly sql: string
  readonly __knexQueryUid: string
}

/** Counts the statements of a Knex instance, and the trips that they take. */
export function countedDatabase(
  db: Knex,
): (run: () => PromiseLike<unknown>) => Promise<SentStatements> {
  let statements: string[] = []
  let trips = 0
  const underWay = new Set<string>()
  db.on('query', ({ sql, __knexQueryUid }: QueryEvent) => {
    if (underWay.size === 0) trips += 1
    underWay.add(__knexQueryUid)
    statements.push(nameOf(sql))
  })
  for (const end of ['query-response', 'query-error']) {
    db.on(end, (_: unknown, { __knexQueryUid }: QueryEvent) => {
      underWay.delete(__knexQueryUid)
    })
  }
  return async (run) => {
    statements = []
    trips = 0
    await run()
    return { statements, trips }
  }
}

function nameOf(sql: string): string {
  const verbs = sql.match(/\b(select|insert|update|delete|begin|commit|rollback)\b/gi) ?? []
  const tables = sql.match(/(?<=second_step_)[a-z]+/g) ?? []
  const verb = verbs.map((one) => one.toLowerCase()).find((one) => one !== 'select') ?? 'select'
  return [verb.replace(/;$/, ''), ...new Set(tables)].join(' ')
}
