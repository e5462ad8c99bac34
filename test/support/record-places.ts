import type { Redis } from 'ioredis'
import { knexStore, type RecordStore, redisStore } from '../../lib/index.js'
import { MARIADB, POSTGRESQL } from './databases.js'
import type { Environment } from './example-app.js'

/** Where the example app is to have its users and records; sessions and counters are in Redis. */
export interface Place {
  readonly name: string
  /** The same store as the app's, and what the app's environment needs to have it. */
  open(redis: Redis): Promise<{
    store: RecordStore
    environment: Environment
    close(): Promise<void>
  }>
}

export const PLACES: readonly Place[] = [
  {
    name: 'Redis',
    open: async (redis) => ({
      store: redisStore(redis),
      environment: {},
      close: async () => undefined,
    }),
  },
  ...[POSTGRESQL, MARIADB].map((kind) => ({
    name: kind.name,
    open: async () => {
      const database = await kind.start()
      return {
        store: knexStore(database.connect()),
        environment: { DATABASE_URL: database.url },
        close: () => database.stop(),
      }
    },
  })),
]
