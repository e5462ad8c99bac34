import { Redis } from 'ioredis'
import { freePort, type RedisServer, startRedisServer } from '../../../test/support/redis-server.js'
import { Link } from '../link.js'
import { comesAbout } from '../waiting.js'

const SLOTS = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const
const FORMED_WITHIN = 30_000
/** Milliseconds after which a master that does not answer is replaced. */
const NODE_TIMEOUT = 1500

/** A server of the cluster, and the link by which apps and its replica reach it. */
export interface Member {
  readonly name: string
  readonly server: RedisServer
  readonly link: Link
  readonly busPort: number
}

/** Three masters and three replicas on 127.0.0.1. Every member is known by the port of its link. */
export class FleetCluster {
  readonly members: readonly Member[]

  private constructor(members: readonly Member[]) {
    this.members = members
  }

  static async start(): Promise<FleetCluster> {
    const members: Member[] = []
    const cluster = new FleetCluster(members)
    try {
      for (let nth = 1; nth <= SLOTS.length * 2; nth += 1) members.push(await startMember(nth))
      await form(members)
      if (!(await comesAbout(() => cluster.isWhole(), FORMED_WITHIN))) {
        throw new Error('the cluster was not formed')
      }
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** As REDIS_URL takes them: through the links. */
  get url(): string {
    return this.members.map(({ link }) => `redis://127.0.0.1:${link.port}`).join(',')
  }

  async masters(): Promise<readonly Member[]> {
    const roles = await Promise.all(this.members.map((member) => roleOf(member)))
    return this.members.filter((_, index) => roles[index]?.role === 'master')
  }

  /** The replica of a master, which is up to date. */
  async replicaOf(master: Member): Promise<Member> {
    const roles = await Promise.all(this.members.map((member) => roleOf(member)))
    const replica = this.members.find((_, index) => roles[index]?.masterPort === master.link.port)
    if (replica === undefined) throw new Error(`${master.name} has no replica`)
    return replica
  }

  async isMaster(member: Member): Promise<boolean> {
    return (await roleOf(member)).role === 'master'
  }

  /** Whether every member knows all slots, and each master has a replica that is up to date. */
  async isWhole(): Promise<boolean> {
    const healths = await Promise.all(this.members.map((member) => healthOf(member)))
    const masters = healths.filter(({ role }) => role === 'master')
    return (
      healths.every(({ ok }) => ok) &&
      masters.length === SLOTS.length &&
      masters.every(({ replicas }) => replicas === 1)
    )
  }

  async stop(): Promise<void> {
    for (const { link } of this.members) link.close()
    await Promise.all(this.members.map(({ server }) => server.stop()))
  }
}

async function startMember(nth: number): Promise<Member> {
  const busPort = await freePort()
  // The server's own port is not known before it has started, and the link's must be given to it.
  const link = await Link.open(0)
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', String(link.port)],
    ...['--cluster-announce-bus-port', String(busPort)],
    ...['--cluster-node-timeout', String(NODE_TIMEOUT), '--cluster-require-full-coverage', 'no'],
    ...['--cluster-allow-replica-migration', 'no', '--repl-diskless-sync-delay', '0'],
    ...['--repl-ping-replica-period', '1', '--repl-backlog-size', '16mb'],
    ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
  ]
  const server = await patiently(args).catch((error: unknown) => {
    link.close()
    throw error
  })
  link.leadTo(server.port)
  return { name: `redis ${nth}`, server, link, busPort }
}

/** A busy machine may take longer than the five seconds that it is given. */
async function patiently(args: readonly string[], tries = 4): Promise<RedisServer> {
  try {
    return await startRedisServer({ args })
  } catch (error) {
    if (tries === 1) throw error
    return patiently(args, tries - 1)
  }
}

async function form(members: readonly Member[]): Promise<void> {
  const masters = members.slice(0, SLOTS.length)
  const [first] = masters
  for (const [index, master] of masters.entries()) {
    const [from, to] = SLOTS[index] ?? [0, 0]
    await command(master, 'CLUSTER', 'ADDSLOTSRANGE', from, to)
  }
  for (const member of members) {
    await command(
      member,
      'CLUSTER',
      'MEET',
      '127.0.0.1',
      first?.server.port ?? 0,
      first?.busPort ?? 0,
    )
  }
  for (const [index, replica] of members.slice(SLOTS.length).entries()) {
    const master = masters[index]
    if (master === undefined) continue
    const id = String(await command(master, 'CLUSTER', 'MYID'))
    const replicates = () =>
      command(replica, 'CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      )
    // It must have heard of its master first.
    await comesAbout(replicates, FORMED_WITHIN)
  }
}

interface Role {
  readonly role: string
  readonly masterPort: number | null
}

async function roleOf(member: Member): Promise<Role> {
  const { role, masterPort } = await healthOf(member)
  return { role, masterPort }
}

interface Health extends Role {
  readonly ok: boolean
  readonly replicas: number
}

const SILENT: Health = { ok: false, role: 'silent', masterPort: null, replicas: 0 }

async function healthOf(member: Member): Promise<Health> {
  try {
    const cluster = String(await command(member, 'CLUSTER', 'INFO'))
    const replication = String(await command(member, 'INFO', 'replication'))
    const [, role = ''] = /^role:(\w+)/m.exec(replication) ?? []
    const [, port] = /^master_port:(\d+)/m.exec(replication) ?? []
    const online = replication.match(/^slave\d+:.*state=online/gm) ?? []
    const linked = role === 'master' || replication.includes('master_link_status:up')
    return {
      ok:
        linked &&
        cluster.includes('cluster_state:ok') &&
        cluster.includes('cluster_slots_ok:16384') &&
        cluster.includes('cluster_known_nodes:6'),
      role,
      masterPort: port === undefined ? null : Number(port),
      replicas: online.length,
    }
  } catch {
    return SILENT
  }
}

/** Asks the server itself, past its link. */
export async function command(
  { server }: Pick<Member, 'server'>,
  name: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  const options = { lazyConnect: true, commandTimeout: 1000, maxRetriesPerRequest: 0 }
  const client = new Redis(server.port, '127.0.0.1', { ...options, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}
