import { connectToRedis } from '../../../example-app/redis.js'
import { redisUsers } from '../../../example-app/redis-users.js'
import { redisStore } from '../../../lib/index.js'
import type { Ground } from '../ground.js'
import { clusterFaults } from './cluster-faults.js'
import { FleetCluster } from './redis-cluster.js'

/** One replica, in so many milliseconds that a busy machine's has it too. */
const DURABILITY = '1,300'

/** Everything in a Redis Cluster. */
export async function onRedis({ durable }: { readonly durable: boolean }): Promise<Ground> {
  const cluster = await FleetCluster.start()
  return {
    name: `Redis Cluster, ${durable ? 'with' : 'without'} durability`,
    environment: { REDIS_URL: cluster.url, ...(durable ? { REDIS_DURABILITY: DURABILITY } : {}) },
    faults: clusterFaults(cluster, { durable }),
    async open() {
      const redis = await connectToRedis(cluster.url, 'ioredis')
      const store = redisStore(redis.client)
      await store.open?.({ production: false })
      const users = redisUsers(redis.commands)
      return { users, store, atOnce: 100, close: async () => redis.close() }
    },
    stop: () => cluster.stop(),
  }
}
