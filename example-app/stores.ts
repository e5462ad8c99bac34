import { RedisStore } from 'connect-redis'
import { MemoryStore, type Store } from 'express-session'
import { knexStore, memoryStore, redisStore, type SecondStepOptions } from 'passport-second-step'
import { openDatabase } from './database.js'
import { type Mailbox, memoryMailbox, redisMailbox } from './mailbox.js'
import { memoryUsers } from './memory-users.js'
import { connectToRedis, type RedisClient } from './redis.js'
import { redisUsers } from './redis-users.js'
import type { Settings } from './settings.js'
import { sqlUsers } from './sql-users.js'
import type { UserStore } from './users.js'

/** Where everything is kept. */
export interface Stores {
  readonly users: UserStore
  readonly sessions: Store
  readonly mailbox: Mailbox
  /** The options of `createSecondStep` that say where records and counters are. */
  readonly secondStep: Pick<SecondStepOptions, 'store' | 'redis'>
  close(): Promise<void>
}

type Places = Pick<Settings, 'redisUrl' | 'databaseUrl'>

/**
 * Users, records and audit log are in the database where there is one, else in Redis; sessions,
 * counters and mailbox in Redis; and what has no place is kept in this process.
 *
 * @throws StartError where Redis or the database does not answer
 */
export async function openStores({ redisUrl, databaseUrl }: Places): Promise<Stores> {
  const redis = redisUrl === null ? null : await connectToRedis(redisUrl)
  const db = databaseUrl === null ? null : await openDatabase(databaseUrl)
  return {
    ...(redis === null ? inThisProcess() : inRedis(redis)),
    ...(db === null ? {} : { users: sqlUsers(db) }),
    secondStep: {
      store: db !== null ? knexStore(db) : redis !== null ? redisStore(redis) : memoryStore(),
      ...(redis === null ? {} : { redis }),
    },
    async close() {
      redis?.disconnect()
      await db?.destroy()
    },
  }
}

function inThisProcess(): Omit<Stores, 'secondStep' | 'close'> {
  return { users: memoryUsers(), sessions: new MemoryStore(), mailbox: memoryMailbox() }
}

function inRedis(redis: RedisClient): Omit<Stores, 'secondStep' | 'close'> {
  return {
    users: redisUsers(redis),
    sessions: new RedisStore({ client: redis }),
    mailbox: redisMailbox(redis),
  }
}
