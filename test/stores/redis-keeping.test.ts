import { expect } from 'chai'
import type { RedisClient, RedisPipeline } from '../../lib/redis/redis-client.js'
import { warnOfWeakKeeping, whatIsKept } from '../../lib/stores/redis-keeping.js'
import { warningsDuring } from '../support/warnings.js'

interface Server {
  /** The answers to CONFIG GET; a setting without one is not revealed. */
  readonly settings?: Readonly<Record<string, string>>
  /** The lines of INFO; none where it is not allowed. */
  readonly info?: readonly string[]
}

const OFF = { save: '', appendonly: 'no' }
const LOGGED = 'aof_enabled:1'

function server({ settings = {}, info }: Server): RedisClient {
  const answer: [Error | null, unknown] =
    info === undefined
      ? [new Error('NOPERM'), undefined]
      : [null, Buffer.from(`# Part\r\n${info.join('\r\n')}\r\n`)]
  const pipeline = (): RedisPipeline => ({
    callBuffer: () => undefined,
    mgetBuffer: () => undefined,
    exec: async () => [answer],
  })
  const config = async (_: 'GET', name: string) => {
    const value = settings[name]
    return value === undefined ? [] : [name, value]
  }
  return { pipeline, config } as unknown as RedisClient
}

function cluster(...servers: readonly Server[]): RedisClient {
  return { nodes: () => servers.map(server) } as unknown as RedisClient
}

describe('what a Redis keeps', () => {
  const disks: readonly (readonly [said: string, Server])[] = [
    ['before their answer', { info: [LOGGED], settings: { appendfsync: 'always' } }],
    ['within a second', { info: [LOGGED], settings: { appendfsync: 'everysec' } }],
    ['half a minute', { info: [LOGGED], settings: { appendfsync: 'no' } }],
    ['does not tell', { info: [LOGGED] }],
    ['as it tells', {}],
    ['snapshots', { info: ['aof_enabled:0'], settings: { save: '3600 1' } }],
    ['snapshots', { info: ['aof_enabled:0'] }],
    ['within a second', { settings: { appendonly: 'yes', appendfsync: 'everysec' } }],
    ['nothing on disk', { settings: OFF }],
  ]
  for (const [said, given] of disks) {
    it(`is told of ${JSON.stringify(given)}`, async () => {
      const [disk] = await whatIsKept(server(given))
      expect(disk).to.contain(said)
    })
  }

  it('is told of replicas, and of how many are required', async () => {
    const told = (line: string, settings = {}) => whatIsKept(server({ info: [line], settings }))
    const [, alone, ...none] = await told('connected_slaves:0')
    expect([alone, none]).to.deep.equal([
      'No replica: if the machine is lost, so are the records.',
      [],
    ])
    const [, two, required] = await told('connected_slaves:2', { 'min-replicas-to-write': '1' })
    expect(two).to.contain('Replicas: 2').and.contain('durability')
    expect(required).to.contain('min-replicas-to-write 1')
    expect(await whatIsKept(server({}))).to.have.length(1)
  })

  it('is that of each master of a cluster', async () => {
    const good = { info: [LOGGED, 'connected_slaves:2'], settings: { appendfsync: 'always' } }
    const bad = { info: ['connected_slaves:0'], settings: OFF }
    const said = (await whatIsKept(cluster(good, bad, good))).join('\n')
    expect(said).to.contain('before their answer').and.contain('nothing on disk')
    expect(said.match(/eplica/g)).to.have.length(2)
  })

  describe('less than durability lets expect', () => {
    const warnings = (redis: RedisClient, replicas = 1) =>
      warningsDuring(() => warnOfWeakKeeping(redis, { replicas, within: 50 }))
    const everysec = { appendfsync: 'everysec' }

    it('is a warning at the start', async () => {
      const one = { info: [LOGGED, 'connected_slaves:1'], settings: everysec }
      expect(await warnings(server(one))).to.deep.equal([])
      expect((await warnings(server(one), 2)).join()).to.contain('asks for 2 replicas')
      const forgetful = { info: ['connected_slaves:1'], settings: OFF }
      expect((await warnings(server(forgetful))).join()).to.contain('nothing on disk')
    })

    it('is no warning, nor a failure, where nobody tells', async () => {
      const silent = { pipeline: () => expect.fail('gone') } as unknown as RedisClient
      expect(await warnings(silent)).to.deep.equal([])
    })
  })
})
