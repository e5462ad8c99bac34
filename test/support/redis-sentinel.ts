import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, startRedisServer } from './redis-server.js'

/** The name of what it watches. */
export const WATCHED = 'records'

/** A Redis, its replica, and a Sentinel that watches them. */
export interface RedisSentinel {
  /** `sentinel://…`, of the Sentinel. */
  readonly url: string
  /** Of the Redis that was the master at first, and of the other. */
  readonly servers: readonly [string, string]
  /** Resolves when the other one is the master. */
  failover(): Promise<void>
  stop(): Promise<void>
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-sentinel-'))
  const first = await startRedisServer()
  const args = ['--replicaof', '127.0.0.1', String(first.port)]
  const other = await startRedisServer({ args })
  const port = await freePort()
  const config = join(folder, 'sentinel.conf')
  await writeFile(
    config,
    `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor ${WATCHED} 127.0.0.1 ${first.port} 1
sentinel failover-timeout ${WATCHED} 5000
`,
  )
  const process = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' })
  const sentinel = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 })
  sentinel.on('error', () => undefined)
  const ask = async (what: string) => String(await sentinel.call('SENTINEL', what, WATCHED))
  while (!(await ask('REPLICAS')).includes(`127.0.0.1,port,${other.port}`));
  return {
    url: `sentinel://127.0.0.1:${port}`,
    servers: [first.url, other.url],
    async failover() {
      while ((await ask('FAILOVER').catch(String)) !== 'OK');
      while ((await ask('GET-MASTER-ADDR-BY-NAME')) !== `127.0.0.1,${other.port}`);
    },
    async stop() {
      sentinel.disconnect()
      const ended = once(process, 'exit')
      process.kill('SIGKILL')
      await ended
      await Promise.all([first.stop(), other.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}
