import { Redis } from 'ioredis'
import { redisStore } from '../apps/package.js'
import { userIds } from '../measure/accounts.js'
import { fill } from '../measure/records.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

/** What a user with an app and ten backup codes takes in Redis. */
export async function bytes(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('kept', bench.quick ? 10 : 200)
  const byHand = await usedByHand(bench, ids)
  const { accounts, redisUrl } = await bench.alone('ours')
  const redis = new Redis(redisUrl)
  try {
    // The set-up, and one login with a code.
    await accounts.signedIn(ids)
    const classes = await bytesByClass(redis)
    const audit = [...classes].filter(([name]) => /:(events|attempts)(:|$)/.test(name))
    const perUser = await recordAndLists(redis, ids[0] ?? '', bench.quick ? 500 : 10_000)
    return [
      {
        what: 'Redis bytes a user: record and lists',
        unit: 'bytes',
        value: perUser,
        goal: { atMost: 620 },
        beside: [['by hand', byHand]],
      },
      {
        what: 'Redis bytes a user: audit log after set-up and one login',
        unit: 'bytes',
        value: sumOf(audit) / ids.length,
        goal: { atMost: 700 },
        note: [...classes]
          .map(([name, size]) => `${name} ${Math.round(size / ids.length)}`)
          .join(', '),
      },
    ]
  } finally {
    redis.disconnect()
  }
}

async function usedByHand(bench: Bench, ids: readonly string[]): Promise<number> {
  const { accounts, redisUrl } = await bench.alone('by hand')
  const redis = new Redis(redisUrl)
  await accounts.enrol(ids)
  const classes = await bytesByClass(redis)
  redis.disconnect()
  return sumOf([...classes].filter(([name]) => name.startsWith('second-step'))) / ids.length
}

/** The bytes of all keys, by their names without what differs from user to user. */
async function bytesByClass(redis: Redis): Promise<Map<string, number>> {
  const classes = new Map<string, number>()
  for (const key of await redis.keys('*')) {
    const name = key.replace(/[\w-]{16,}|kept-\d+|(?<=:)\d+(?=\})/g, '*')
    const size = Number(await redis.memory('USAGE', key, 'SAMPLES', 0))
    classes.set(name, (classes.get(name) ?? 0) + size)
  }
  return classes
}

/** The growth of Redis by that many records like this user's, with their places in lists. */
async function recordAndLists(redis: Redis, like: string, count: number): Promise<number> {
  const before = await usedMemory(redis)
  await fill(redisStore(redis), like, count, (nth) => `copy-${nth}`)
  return ((await usedMemory(redis)) - before) / count
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
}

function sumOf(classes: readonly (readonly [string, number])[]): number {
  return classes.reduce((sum, [, size]) => sum + size, 0)
}
