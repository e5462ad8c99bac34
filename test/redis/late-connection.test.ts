import { once } from 'node:events'
import { expect } from 'chai'
import { type NodeRedisCluster, portOfNodeRedisCluster } from '../../lib/redis/node-redis.js'
import { rejectionOf } from '../stores/rejection.js'

const MASTER = { address: '127.0.0.1:7000' }

/** A cluster of node-redis whose client has no connection to its one master until the test says so. */
function unconnected() {
  const sent: string[] = []
  const asked: string[] = []
  let connect = () => {}
  const connected = new Promise<object>((resolve) => {
    connect = () => resolve({ sendCommand: async ([name = '']) => sent.push(name) })
  })
  const cluster: NodeRedisCluster = {
    isOpen: true,
    masters: [MASTER],
    slots: Array.from({ length: 16_384 }, () => ({ master: MASTER })),
    nodeClient: () => connected,
    async sendCommand(_key, _isReadonly, args, options) {
      asked.push(args.join(' '))
      const { abortSignal } = Object(options) as { abortSignal?: AbortSignal }
      if (abortSignal === undefined) return null
      await once(abortSignal, 'abort')
      throw new Error('The command was aborted')
    },
    withTypeMapping: () => cluster,
  }
  return { cluster, sent, asked, connect, connected }
}

// Somebody keeps a master away. A reset was refused with 503, and once the master is back it begins all the same.
describe('a client of a cluster of node-redis that cannot connect to a master', () => {
  it('sends none of what goes together once its time is over', async () => {
    const { cluster, sent, asked, connect, connected } = unconnected()
    const pipeline = portOfNodeRedisCluster(cluster).pipeline?.()
    pipeline?.sendUntil?.(performance.now() + 1)
    pipeline?.callBuffer('eval', 'return 1', 1, 'key')
    const [[error] = []] = (await pipeline?.exec()) ?? []
    expect(error?.message).to.contain('in time')
    // Another node may know a new master.
    expect(asked).to.deep.equal(['GET key'])
    connect()
    await connected
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent).to.deep.equal([])
  })

  it('sends nothing else that has waited for a second', async () => {
    const { cluster } = unconnected()
    const error = await rejectionOf(portOfNodeRedisCluster(cluster).eval('return 1', 1, 'key'))
    expect(error.message).to.equal('The command was aborted')
  })
})
