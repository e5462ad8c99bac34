import { Redis } from 'ioredis'
import { type RedisServer, startRedisServer } from './redis-server.js'
import { type TcpLink, tcpLink } from './tcp-link.js'

/** A master with one replica, and an address that leads to whichever is the master. */
export interface RedisPair {
  readonly url: string
  readonly replica: RedisServer
  /** Waits until the replica has all that was written. */
  inStep(): Promise<void>
  /** The replica lags from now on: nothing that is written reaches it any more. */
  cut(): void
  /**
   * The master dies (kill -9), and the replica takes its place. The dead one comes back empty, as the replica of
   * the new one.
   */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** A replica need not wait for others before it gets the whole of it. */
const ARGS = ['--repl-diskless-sync-delay', '0']
const IN_STEP_WITHIN = 10_000

export async function startRedisPair(): Promise<RedisPair> {
  const master = await startRedisServer({ args: ARGS })
  const links: TcpLink[] = []
  let replica: RedisServer | undefined
  const stop = async () => {
    for (const link of links) link.stop()
    await replica?.stop()
    await master.stop()
  }
  try {
    const between = await tcpLink(master.port)
    const address = await tcpLink(master.port)
    links.push(between, address)
    replica = await startRedisServer({
      args: [...ARGS, '--replicaof', '127.0.0.1', `${between.port}`],
    })
    const pair = pairOf({ master, replica, between, address, stop })
    await pair.inStep()
    return pair
  } catch (error) {
    await stop()
    throw error
  }
}

function pairOf(parts: {
  readonly master: RedisServer
  readonly replica: RedisServer
  readonly between: TcpLink
  readonly address: TcpLink
  readonly stop: () => Promise<void>
}): RedisPair {
  const { master, replica, between, address, stop } = parts
  return {
    url: `redis://127.0.0.1:${address.port}`,
    replica,
    inStep: () => inStep(master),
    cut: () => between.lose(),
    async failOver() {
      await master.kill()
      await withClient(replica, (client) => client.replicaof('NO', 'ONE'))
      address.leadTo(replica.port)
      await master.restart()
      await withClient(master, (client) => client.replicaof('127.0.0.1', replica.port))
      await inStep(replica)
    },
    stop,
  }
}

/** Waits until a replica has all that this master has written. */
function inStep(master: RedisServer): Promise<void> {
  return withClient(master, async (client) => {
    await client.set('in-step', '1')
    if ((await client.wait(1, IN_STEP_WITHIN)) < 1) throw new Error('no replica is in step')
  })
}

async function withClient(
  { port }: RedisServer,
  run: (client: Redis) => Promise<unknown>,
): Promise<void> {
  const client = new Redis(port, '127.0.0.1')
  try {
    await run(client)
  } finally {
    client.disconnect()
  }
}
