import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { cli } from './cli.js'
import { moduleUrl } from './modules.js'
import { startRedisServer } from './redis-server.js'

const LIB = moduleUrl('lib/index')
const READY = "await new Promise((resolve) => redis.once('ready', resolve))"

/** The command line on a Redis of its own. */
export interface CommandOnRedis {
  readonly redis: Redis
  run(command: string): ReturnType<typeof cli>
  stop(): Promise<void>
}

/** @param connected whether the config's client is connected when the command gets it */
export async function commandOnRedis({
  connected,
}: {
  readonly connected: boolean
}): Promise<CommandOnRedis> {
  const server = await startRedisServer()
  const redis = new Redis(server.url)
  const folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
  const config = join(folder, 'second-step.config.mjs')
  const options = '{ maxRetriesPerRequest: 1, enableOfflineQueue: false }'
  await writeFile(
    config,
    `import { Redis } from '${createRequire(import.meta.url).resolve('ioredis')}'
     import { redisStore } from '${LIB}'
     const redis = new Redis(${server.port}, '127.0.0.1', ${options})
     ${connected ? READY : ''}
     export default { store: redisStore(redis) }`,
  )
  return {
    redis,
    run: (command) => cli([command, '--config', config]),
    async stop() {
      redis.disconnect()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A command for Redis alone, in an app with another store. */
export async function expectRedisOnly(command: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
  const config = join(folder, 'memory.mjs')
  await writeFile(
    config,
    `import { memoryStore } from '${LIB}'; export default { store: memoryStore() }`,
  )
  const { code, stderr } = await cli([command, '--config', config])
  await rm(folder, { recursive: true, force: true })
  expect(code).to.equal(1)
  expect(stderr).to.contain('only redisStore')
}
