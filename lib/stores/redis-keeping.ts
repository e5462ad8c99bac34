import type { Durability } from '../redis/durability.js'
import type { RedisClient } from '../redis/redis-client.js'
import { settingOf } from './redis-checks.js'

type Server = Pick<RedisClient, 'config' | 'pipeline'>
type Servers = Server & Pick<RedisClient, 'nodes'>

/** How a server keeps the writes that it has answered. */
interface Keeping {
  readonly disk: string
  /** Whether a crash loses more than a second of them. */
  readonly isWeak: boolean
  /** NaN where the server does not tell. */
  readonly replicas: number
  /** The fewest replicas with which it takes writes. */
  readonly required: number
}

const SYNCED = new Map<string | null, string>([
  ['always', 'before their answer'],
  ['everysec', 'within a second'],
  ['no', 'within half a minute'],
])

/**
 * What a Redis, or the masters of a cluster, promise of the writes that they have answered.
 *
 * @returns sentences for the operator
 * @throws what the client rejects with
 */
export async function whatIsKept(redis: Servers): Promise<readonly string[]> {
  return sentencesOf(await keepingsOf(redis))
}

/** Warns where servers keep less than the option lets expect. Never rejects: each write is checked anyway. */
export async function warnOfWeakKeeping(redis: Servers, asked: Durability): Promise<void> {
  const keepings = await keepingsOf(redis).catch(() => [])
  if (!keepings.some(({ isWeak, replicas }) => isWeak || replicas < asked.replicas)) return
  process.emitWarning(
    `passport-second-step: redisStore.durability asks for ${asked.replicas} replicas. ${sentencesOf(keepings, asked).join(' ')}`,
  )
}

function sentencesOf(
  keepings: readonly Keeping[],
  asked: Durability | null = null,
): readonly string[] {
  const sentences = keepings.flatMap(({ disk, replicas, required }) => [
    disk,
    replicas === 0 && 'No replica: if the machine is lost, so are the records.',
    replicas > 0 &&
      `Replicas: ${replicas}.${asked === null ? ' Without the option durability a failover can forget a used code.' : ''}`,
    required > 0 && `min-replicas-to-write ${required}: with fewer it takes no writes.`,
  ])
  return [...new Set(sentences)].filter((sentence) => sentence !== false)
}

function keepingsOf(redis: Servers): Promise<readonly Keeping[]> {
  return Promise.all((redis.nodes?.('master') ?? [redis]).map(keepingOf))
}

async function keepingOf(server: Server): Promise<Keeping> {
  const pipeline = server.pipeline?.()
  pipeline?.callBuffer('info')
  // Empty where INFO is not allowed.
  const info = String((await pipeline?.exec())?.[0]?.[1] ?? '')
  const told = (name: string) => new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN
  const isLogged = told('aof_enabled') === '1' || (await settingOf(server, 'appendonly')) === 'yes'
  const synced = await settingOf(server, 'appendfsync')
  return {
    disk: isLogged
      ? `Writes are on disk ${SYNCED.get(synced) ?? 'at a time that it does not tell'}.`
      : (await settingOf(server, 'save')) === ''
        ? 'This Redis keeps nothing on disk (save and appendonly are off): a restart loses all records.'
        : 'At most snapshots are on disk, as it tells: a crash loses what came after the last.',
    isWeak: !isLogged || synced === 'no',
    replicas: Number(told('connected_slaves')),
    required: Number(await settingOf(server, 'min-replicas-to-write')),
  }
}
