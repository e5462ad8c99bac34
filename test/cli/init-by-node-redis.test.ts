import { expect } from 'chai'
import { Redis } from 'ioredis'
import { initRedis } from '../../lib/cli/init-redis.js'
import { byNodeRedis } from '../../lib/cli/redis-connection.js'
import { rejectionOf } from '../stores/rejection.js'
import { NODE_REDIS, nodeRedis } from '../support/redis-clients.js'
import { startRedisCluster } from '../support/redis-cluster.js'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js'

for (const [version, name] of Object.entries(NODE_REDIS)) {
  describe(`init in an app that has ${version} and no ioredis`, () => {
    let server: RedisServer
    let redis: Redis
    before(async () => {
      server = await startRedisServer({ args: ['--requirepass', 'pass/word'] })
      redis = new Redis(server.port, '127.0.0.1', { password: 'pass/word' })
    })
    after(async () => {
      redis?.disconnect()
      await server?.stop()
    })

    const init = (url: string) =>
      initRedis(url, 'second-step', async () =>
        byNodeRedis((await nodeRedis(name)) as unknown as Parameters<typeof byNodeRedis>[0]),
      )

    it('makes the markers and says so, and the second time that they were there', async () => {
      const url = `redis://:pass%2Fword@127.0.0.1:${server.port}`
      expect(await init(url))
        .to.contain('Made the markers')
        .and.contain('nothing on disk')
      expect(await redis.keys('second-step:{*}:marker')).to.have.length(64)
      expect(await init(url)).to.contain('already')
    })

    it('says why it does not, without the password', async () => {
      const wrong = await rejectionOf(init(`redis://:not-this@127.0.0.1:${server.port}`))
      expect(wrong.message).to.contain('WRONGPASS').and.not.contain('not-this')
      const gone = await rejectionOf(init(`redis://:not-this@127.0.0.1:${await freePort()}`))
      expect(gone.message).to.contain('ECONNREFUSED').and.not.contain('not-this')
    })

    it('follows a cluster to the servers that have the slots', async () => {
      const cluster = await startRedisCluster()
      try {
        for (const { url } of cluster.servers) {
          const client = new Redis(url)
          await client.config('SET', 'requirepass', 'pass/word')
          client.disconnect()
        }
        const [port] = cluster.ports
        expect(await init(`redis://:pass%2Fword@127.0.0.1:${port}`)).to.contain('Made the markers')
      } finally {
        await cluster.stop()
      }
    })
  })
}
