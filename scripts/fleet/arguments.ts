import { parseArgs } from 'node:util'

/** What a run is to be. */
export interface Wanted {
  readonly logins: number
  readonly seed: number
  /** Where users and records are. */
  readonly database: 'redis' | 'postgresql'
  /** Whether writes to Redis wait for a replica. */
  readonly durable: boolean
  /** How often each kind of fault strikes. */
  readonly faults: number
  /** Only kinds whose name has this in it; null: all of them. */
  readonly only: string | null
  /** Visits at once. */
  readonly atOnce: number
  /** Seconds after which a run that has not come to its end has failed. */
  readonly within: number
  readonly keep: boolean
}

export const USAGE = `npm run proof:fleet -- [options]
  --logins N           logins with a second step; default 100000
  --seed S             of load and nemesis; default 1
  --database postgres  users and records in a PostgreSQL pair; default: all in a Redis Cluster
  --no-durability      Redis answers before a replica has a write: a failover may lose it
  --faults N           of each kind; default: 20 for 100000 logins, at least 1
  --only WORDS         only faults whose name has these words, also those that lose what Redis has answered
  --at-once N          visits at once; default 16
  --within SECONDS     the longest that a run may take; default 3600
  --keep               keeps the history of a good run too`

/** @throws Error with a sentence for the person at the terminal */
export function readArguments(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      logins: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      database: { type: 'string', default: 'redis' },
      'no-durability': { type: 'boolean', default: false },
      faults: { type: 'string' },
      only: { type: 'string' },
      'at-once': { type: 'string', default: '16' },
      within: { type: 'string', default: '3600' },
      keep: { type: 'boolean', default: false },
    },
  })
  const logins = numberOf('logins', values.logins)
  return {
    logins,
    seed: numberOf('seed', values.seed),
    database: databaseOf(values.database),
    durable: !values['no-durability'],
    faults: values.faults === undefined ? faultsFor(logins) : numberOf('faults', values.faults),
    only: values.only ?? null,
    atOnce: numberOf('at-once', values['at-once']),
    within: numberOf('within', values.within),
    keep: values.keep,
  }
}

function faultsFor(logins: number): number {
  return Math.max(1, Math.ceil(logins / 5000))
}

function numberOf(name: string, given: string): number {
  const number = Number(given)
  if (/^\d+$/.test(given) && Number.isSafeInteger(number)) return number
  throw new Error(`--${name} must be a whole number, not "${given}"\n${USAGE}`)
}

function databaseOf(given: string): Wanted['database'] {
  if (given === 'redis') return 'redis'
  if (given === 'postgres' || given === 'postgresql') return 'postgresql'
  throw new Error(`--database must be redis or postgres, not "${given}"\n${USAGE}`)
}
