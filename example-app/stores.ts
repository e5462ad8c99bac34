import { MemoryStore, type Store } from 'express-session'
import type { Knex } from 'knex'
import {
  type Durability,
  knexStore,
  memoryStore,
  type RecordStore,
  redisStore,
  type SecondStepOptions,
} from 'passport-second-step'
import { openDatabase } from './database.js'
import { type Mailbox, memoryMailbox, redisMailbox } from './mailbox.js'
import { memoryUsers } from './memory-users.js'
import { connectToRedis, type RedisConnection } from './redis.js'
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

type Places = Pick<Settings, 'redisUrl' | 'redisClient' | 'redisDurability' | 'databaseUrl'>

/**
 * Users, records and audit log are in the database where there is one, else in Redis; sessions,
 * counters and mailbox in Redis; and what has no place is kept in this process.
 *
 * @throws StartError where Redis or the database does not answer
 */
export async function openStores(places: Places): Promise<Stores> {
  const { redisUrl, redisClient, redisDurability, databaseUrl } = places
  const redis = redisUrl === null ? null : await connectToRedis(redisUrl, redisClient)
  const db = databaseUrl === null ? null : await openDatabase(databaseUrl)
  return {
    ...(redis === null ? inThisProcess() : inRedis(redis)),
    ...(db === null ? {} : { users: sqlUsers(db) }),
    secondStep: {
      store: storeOf(db, redis, redisDurability),
      ...(redis === null ? {} : { redis: redis.client }),
    },
    async close() {
      redis?.close()
      await db?.destroy()
    },
  }
}

function storeOf(
  db: Knex | null,
  redis: RedisConnection | null,
  durability: Durability | null,
): RecordStore {
  if (db !== null) return knexStore(db)
  if (redis === null) return memoryStore()
  return redisStore(redis.client, durability === null ? {} : { durability })
}

function inThisProcess(): Omit<Stores, 'secondStep' | 'close'> {
  return { users: memoryUsers(), sessions: new MemoryStore(), mailbox: memoryMailbox() }
}

function inRedis({ sessions, commands }: RedisConnection): Omit<Stores, 'secondStep' | 'close'> {
  return { users: redisUsers(commands), sessions, mailbox: redisMailbox(commands) }
}
