import { openDatabase } from '../../../example-app/database.js'
import { sqlUsers } from '../../../example-app/sql-users.js'
import { knexStore } from '../../../lib/index.js'
import { startRedisServer } from '../../../test/support/redis-server.js'
import type { FaultKind, Ground, Harm } from '../ground.js'
import type { Random } from '../random.js'
import { pause } from '../waiting.js'
import { PostgresPair } from './postgres-pair.js'

/** Users, records and audit log in a PostgreSQL pair; sessions and counters in a Redis that has no faults. */
export async function onPostgres(): Promise<Ground> {
  const redis = await startRedisServer()
  const pair = await PostgresPair.start().catch(async (error: unknown) => {
    await redis.stop()
    throw error
  })
  return {
    name: 'PostgreSQL with a synchronous standby',
    environment: { REDIS_URL: redis.url, DATABASE_URL: pair.url },
    faults: pairFaults(pair),
    async open() {
      await pair.inStep()
      const db = await openDatabase(pair.url)
      const store = knexStore(db)
      await store.open?.({ production: false })
      // Each has a connection, of ten.
      return { users: sqlUsers(db), store, atOnce: 8, close: () => db.destroy() }
    },
    async stop() {
      await pair.stop()
      await redis.stop()
    },
  }
}

function pairFaults(pair: PostgresPair): readonly FaultKind[] {
  const isOver = () => pair.isWhole()
  const onPair = (name: string, strike: (random: Random) => Promise<Struck>) => ({
    name,
    strike: async (random: Random): Promise<Harm> => ({
      target: 'primary',
      isOver,
      ...(await strike(random)),
    }),
  })
  return [
    onPair('primary killed', async () => {
      await pair.primary.kill()
      await pair.failOver()
      return { lasts: 0, heal: () => pair.replaceStandby() }
    }),
    onPair('primary stopped', async (random) => {
      pair.primary.pause()
      return { lasts: random.between(500, 4000), heal: async () => pair.primary.resume() }
    }),
    onPair('primary stopped, its standby promoted', async (random) => {
      pair.primary.pause()
      await pause(random.between(500, 2000))
      await pair.failOver()
      return { lasts: 0, heal: () => pair.replaceStandby() }
    }),
    onPair('link to the primary cut', async (random) => {
      pair.link.cut()
      return { lasts: random.between(300, 3000), heal: async () => pair.link.heal() }
    }),
    onPair('link to the primary held', async (random) => {
      pair.link.hold()
      return { lasts: random.between(500, 3000), heal: async () => pair.link.heal() }
    }),
  ]
}

type Struck = Pick<Harm, 'lasts' | 'heal'>
