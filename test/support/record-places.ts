import { knexStore, type RecordStore, redisStore } from '../../lib/index.js'
import { type DatabaseKind, MARIADB, POSTGRESQL } from './databases.js'
import type { Environment } from './example-app.js'
import { clientForTests } from './redis-clients.js'

/** Where the example app is to have its users and records; sessions and counters are in Redis. */
export interface Place {
  readonly name: string
  /** The same store as the app's, and what the app's environment needs to have it. */
  open(redisUrl: string): Promise<{
    store: RecordStore
    environment: Environment
    close(): Promise<void>
  }>
}

export const IN_REDIS: Place = {
  name: 'Redis',
  open: async (redisUrl) => {
    const { redis, end } = await clientForTests(redisUrl)
    return { store: redisStore(redis), environment: {}, close: async () => void end() }
  },
}

export const IN_POSTGRESQL = inDatabase(POSTGRESQL)
export const IN_MARIADB = inDatabase(MARIADB)

export const PLACES: readonly Place[] = [IN_REDIS, IN_POSTGRESQL, IN_MARIADB]

function inDatabase(kind: DatabaseKind): Place {
  return {
    name: kind.name,
    open: async () => {
      const database = await kind.start()
      return {
        store: knexStore(database.connect()),
        environment: { DATABASE_URL: database.url },
        close: () => database.stop(),
      }
    },
  }
}
