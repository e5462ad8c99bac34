import { RedisStore } from 'connect-redis'
import { MemoryStore, type Store } from 'express-session'
import { Redis } from 'ioredis'
import { memoryStore, redisStore, type SecondStepOptions } from 'passport-second-step'
import { type Mailbox, memoryMailbox, redisMailbox } from './mailbox.js'
import { StartError } from './settings.js'
import { memoryUsers, redisUsers, type UserStore } from './users.js'

/** Where everything is kept. */
export interface Stores {
  readonly users: UserStore
  readonly sessions: Store
  readonly mailbox: Mailbox
  /** The options of `createSecondStep` that say where records and counters are. */
  readonly secondStep: Pick<SecondStepOptions, 'store' | 'redis'>
  close(): void
}

const PATIENCE = 3000

/** @throws StartError where Redis does not answer */
export async function openStores(redisUrl: string | null): Promise<Stores> {
  if (redisUrl === null) {
    return {
      users: memoryUsers(),
      sessions: new MemoryStore(),
      mailbox: memoryMailbox(),
      secondStep: { store: memoryStore() },
      close: () => undefined,
    }
  }
  const redis = await connect(redisUrl)
  return {
    users: redisUsers(redis),
    sessions: new RedisStore({ client: redis }),
    mailbox: redisMailbox(redis),
    secondStep: { store: redisStore(redis), redis },
    close: () => redis.disconnect(),
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
