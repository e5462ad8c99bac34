import { redisCounters } from '../../lib/limits/redis-counters.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisAuditLog } from '../../lib/stores/redis-audit-log.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { auditLogCases, counterCases, recordStoreCases } from '../../lib/testing/index.js'
import { type ConnectedClient, REDIS_CLIENTS } from '../support/redis-clients.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'

/** The other tests of the stores are run with ioredis 5. */
const OTHERS = Object.entries(REDIS_CLIENTS).filter(([name]) => name !== 'ioredis')
/** The server ends a window, whoever asks for it. */
const AT_ONCE = counterCases.filter(({ name }) => !name.includes('window'))

for (const [name, connect] of OTHERS) {
  describe(`with a client of ${name}`, () => {
    const { redis: admin, url } = redisOfASuite()
    let client: ConnectedClient
    let second: ConnectedClient
    before(async () => {
      client = await connect(url())
      second = await connect(url())
    })
    after(() => {
      client.end()
      second.end()
    })

    for (const { name: title, run } of recordStoreCases) {
      const lose = async (userId: string) => admin.del(redisKeys('second-step').place(userId).key)
      it(`redisStore: ${title}`, () =>
        run(() => ({
          ...{ store: redisStore(client.redis), another: redisStore(second.redis), lose },
        })))
    }
    for (const { name: title, run } of auditLogCases) {
      it(`redisAuditLog: ${title}`, () => run(() => ({ log: redisAuditLog(client.redis) })))
    }
    for (const { name: title, run } of AT_ONCE) {
      it(`redisCounters: ${title}`, () => run(() => ({ counters: redisCounters(client.redis) })))
    }
  })
}
