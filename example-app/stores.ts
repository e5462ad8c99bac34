import { RedisStore } from 'connect-redis'
import { MemoryStore, type Store } from 'express-session'
import { Redis } from 'ioredis'
import { knexStore, memoryStore, redisStore, type SecondStepOptions } from 'passport-second-step'
import { openDatabase } from './database.js'
import { type Mailbox, memoryMailbox, redisMailbox } from './mailbox.js'
import { memoryUsers } from './memory-users.js'
import { redisUsers } from './redis-users.js'
import { type Settings, StartError } from './settings.js'
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

const PATIENCE = 3000

/**
 * Users, records and audit log are in the database where there is one, else in Redis; sessions,
 * counters and mailbox in Redis; and what has no place is kept in this process.
 *
 * @throws StartError where Redis or the database does not answer
 */
export async function openStores({ redisUrl, databaseUrl }: Places): Promise<Stores> {
  const redis = redisUrl === null ? null : await connect(redisUrl)
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

function inRedis(redis: Redis): Omit<Stores, 'secondStep' | 'close'> {
  return {
    users: redisUsers(redis),
    sessions: new RedisStore({ client: redis }),
    mailbox: redisMailbox(redis),
  }
}

async function connect(url: string): Promise<Redis> {
  // With its defaults the client would queue commands for ever while Redis is away.
  const redis = new Redis(url, {
    commandTimeout: 1000,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
  })
  tellOfOutages(redis)
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      const { host, port } = redis.options
      redis.disconnect()
      reject(new StartError(`Redis at ${host}:${port} does not answer: start it or fix REDIS_URL.`))
    }, PATIENCE)
    redis.once('ready', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  return redis
}

/** One line for an outage, not one for each attempt to connect. */
function tellOfOutages(redis: Redis): void {
  let away = false
  redis.on('error', (error) => {
    if (!away) console.error(`Redis is away: ${error.message}`)
    away = true
  })
  redis.on('ready', () => {
    if (away) console.error('Redis is back.')
    away = false
  })
}
