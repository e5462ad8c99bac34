import { Cluster, Redis } from 'ioredis'
import { freePort, type RedisServer, startRedisServer } from './redis-server.js'

/** Three masters on 127.0.0.1 that share the 16384 slots. */
export interface RedisCluster {
  readonly ports: readonly number[]
  readonly servers: readonly RedisServer[]
  client(): Cluster
  stop(): Promise<void>
}

const SLOTS = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const
const FORMED_WITHIN = 15_000

/** @param options.args as in `startRedisServer`, for each of them */
export async function startRedisCluster(
  options: { args?: readonly string[] } = {},
): Promise<RedisCluster> {
  const busPorts = [await freePort(), await freePort(), await freePort()]
  const servers = await Promise.all(busPorts.map((port) => startMember(port, options.args ?? [])))
  const ports = servers.map((server) => server.port)
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    await form(ports, busPorts)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ports,
    servers,
    client: () => new Cluster(ports.map((port) => ({ host: '127.0.0.1', port }))),
    stop,
  }
}

function startMember(busPort: number, args: readonly string[]): Promise<RedisServer> {
  return startRedisServer({
    args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), ...args],
  })
}

async function form(ports: readonly number[], busPorts: readonly number[]): Promise<void> {
  const clients = ports.map((port) => new Redis(port, '127.0.0.1'))
  try {
    for (const [index, client] of clients.entries()) {
      const [from, to] = SLOTS[index] ?? [0, 0]
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      await client.call('CLUSTER', 'MEET', '127.0.0.1', ports[0] ?? 0, busPorts[0] ?? 0)
    }
    const deadline = Date.now() + FORMED_WITHIN
    while (!(await Promise.all(clients.map(isWhole))).every(Boolean)) {
      if (Date.now() > deadline) throw new Error('the cluster was not formed')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    for (const client of clients) client.disconnect()
  }
}

async function isWhole(client: Redis): Promise<boolean> {
  const info = String(await client.call('CLUSTER', 'INFO'))
  return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
}
