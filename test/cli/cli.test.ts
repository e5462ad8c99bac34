import { expect } from 'chai'
import { Redis } from 'ioredis'
import { keyRing } from '../../lib/keys/key-ring.js'
import { cli } from '../support/cli.js'
import { startRedisCluster } from '../support/redis-cluster.js'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.js'

const FORGETS =
  'This Redis keeps nothing on disk (save and appendonly are off): a restart loses all records.\n'
const ALONE = 'No replica: if the machine is lost, so are the records.\n'
const oneLine = /^[^\n]+\n$/

describe('passport-second-step', () => {
  describe('keygen', () => {
    it('prints a key that the key ring takes, another one each time', async () => {
      const [one, two] = await Promise.all([cli(['keygen']), cli(['keygen'])])
      expect([one.code, one.stderr]).to.deep.equal([0, ''])
      expect(one.stdout).to.match(/^[A-Za-z0-9+/]{43}=\n$/)
      expect(one.stdout).not.to.equal(two.stdout)
      keyRing([one.stdout.trim(), two.stdout.trim()])
    })
  })

  describe('init', () => {
    let server: RedisServer
    let redis: Redis
    before(async () => {
      server = await startRedisServer({ args: ['--requirepass', 'pass-word'] })
      redis = new Redis(server.port, '127.0.0.1', { password: 'pass-word' })
    })
    beforeEach(() => redis.flushall())
    after(async () => {
      redis?.disconnect()
      await server?.stop()
    })
    const url = () => `redis://:pass-word@127.0.0.1:${server.port}`

    it('makes the markers and says so, and the second time that they were there', async () => {
      const first = await cli(['init', '--redis', url()])
      expect([first.code, first.stderr]).to.deep.equal([0, ''])
      expect(first.stdout).to.equal(
        `Made the markers of "second-step" in Redis at 127.0.0.1:${server.port}.\n` +
          'If this Redis had records before, restore its backup instead: from now on nobody in it has a second step.\n' +
          FORGETS +
          ALONE,
      )
      expect(await redis.keys('second-step:{*}:marker')).to.have.length(64)
      expect(await redis.dbsize()).to.equal(64)

      const second = await cli(['init', '--redis', url()])
      expect(second.code).to.equal(0)
      expect(second.stdout).to.contain('already').and.contain(FORGETS)
    })

    it('warns of no loss where Redis writes to its disk', async () => {
      for (const [setting, on, off] of [
        ['appendonly', 'yes', 'no'],
        ['save', '3600 1', ''],
      ] as const) {
        await redis.flushall()
        await redis.config('SET', setting, on)
        const { stdout } = await cli(['init', '--redis', url()])
        await redis.config('SET', setting, off)
        expect(stdout).to.contain('Made the markers').and.not.contain(FORGETS)
      }
    })

    it('takes REDIS_URL and --prefix', async () => {
      const { code } = await cli(['init', '--prefix', 'acme'], { REDIS_URL: url() })
      expect(code).to.equal(0)
      expect(await redis.keys('acme:{*}:marker')).to.have.length(64)
      expect(await redis.dbsize()).to.equal(64)
    })

    it('says in a sentence what went wrong, without the password', async () => {
      const wrong = url().replace('pass-word', 'not-this')
      const gone = `redis://:not-this@127.0.0.1:${await freePort()}`
      for (const redisUrl of [wrong, gone, 'https://not-this@127.0.0.1', 'not-this']) {
        const { code, stdout, stderr } = await cli(['init', '--redis', redisUrl])
        expect([code, stdout], stderr).to.deep.equal([1, ''])
        expect(stderr).to.match(oneLine).and.not.contain('not-this')
      }
    })

    it('says why there is no connection', async () => {
      const { stderr } = await cli(['init', '--redis', `redis://127.0.0.1:${await freePort()}`])
      expect(stderr).to.contain('ECONNREFUSED')
    })

    it('follows a cluster to the servers that have the slots', async function () {
      this.timeout(30_000)
      const cluster = await startRedisCluster()
      try {
        const runs = []
        for (const port of cluster.ports) {
          runs.push(await cli(['init', '--redis', `redis://127.0.0.1:${port}`]))
        }
        expect(runs.map((run) => run.code)).to.deep.equal([0, 0, 0])
        expect(runs.filter((run) => run.stdout.startsWith('Made'))).to.have.length(1)
      } finally {
        await cluster.stop()
      }
    })

    it('refuses a prefix that would break the hash tag', async () => {
      const { code, stderr } = await cli(['init', '--redis', url(), '--prefix', 'a}b'])
      expect(code).to.equal(1)
      expect(stderr).to.match(oneLine).and.contain('prefix')
    })

    it('wants to know which Redis', async () => {
      const { code, stderr } = await cli(['init'])
      expect(code).to.equal(2)
      expect(stderr).to.match(oneLine).and.contain('REDIS_URL')
    })
  })

  it('shows its usage when asked', async () => {
    for (const args of [['--help'], ['-h']]) {
      const { code, stdout, stderr } = await cli(args)
      expect([code, stderr]).to.deep.equal([0, ''])
      expect(stdout).to.contain('Usage:').and.contain('keygen').and.contain('init')
    }
  })

  it('ends with code 2 when used wrongly', async () => {
    for (const [args, says] of [
      [[], 'Usage:'],
      [['keygen', '--size', '5'], "Unknown option '--size'."],
    ] as const) {
      const { code, stdout, stderr } = await cli(args)
      expect([code, stdout]).to.deep.equal([2, ''])
      expect(stderr).to.contain(says)
    }
  })
})
