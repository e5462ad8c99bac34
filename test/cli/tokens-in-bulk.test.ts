// The mistake: tokens are assigned one after another, each in a few trips to the database, and those of
// a company take a day.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cli } from '../support/cli.js'
import { moduleUrl } from '../support/modules.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const IOREDIS = import.meta.resolve('ioredis')
const TOKENS = 10_000
const MINUTE = 60_000

describe('an import of 10,000 tokens', function () {
  this.timeout(5 * MINUTE)
  let server: RedisServer
  let folder: string
  let config: string

  before(async () => {
    server = await startRedisServer({ args: ['--appendonly', 'yes'] })
    folder = await mkdtemp(join(tmpdir(), 'tokens-in-bulk-'))
    config = join(folder, 'second-step.config.mjs')
    await writeFile(
      config,
      `import { Redis } from '${IOREDIS}'
       import { redisStore } from '${moduleUrl('lib/index')}'
       const redis = new Redis(${server.port}, '127.0.0.1', { enableOfflineQueue: false })
       redis.on('error', () => undefined)
       export default {
         issuer: 'Acme', origin: 'https://acme.example', keys: ['3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='],
         store: redisStore(redis, { persistent: true }), redis,
         users: { findById: async (id) => ({ id, roles: [] }) },
       }`,
    )
    expect((await cli(['init', '--redis', server.url])).code).to.equal(0)
  })
  after(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('takes less than a minute on Redis, and less to find that all are there', async () => {
    const file = join(folder, 'tokens.csv')
    const lines = Array.from({ length: TOKENS }, (_, index) => {
      const seed = String(index).padStart(40, '0')
      return index % 2 === 0
        ? `FT-${index},${seed},totp,6,60,sha256,user-${index}`
        : `FH-${index},${seed},hotp,6,,sha1,user-${index}`
    })
    const content = `serial,secret,type,digits,period,algorithm,user\n${lines.join('\n')}\n`
    await writeFile(file, content)
    for (const counts of [
      { assigned: TOKENS, alreadyThere: 0, failed: 0 },
      { assigned: 0, alreadyThere: TOKENS, failed: 0 },
    ]) {
      const begin = performance.now()
      const { code, stdout } = await cli(['tokens', 'import', file, '--config', config, '--json'])
      const took = performance.now() - begin
      expect(code).to.equal(0)
      expect(JSON.parse(stdout)).to.include(counts)
      expect(took).to.be.below(MINUTE)
    }
  })
})
