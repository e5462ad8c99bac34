import { Redis } from 'ioredis'
import { POSTGRESQL, type TestDatabase } from '../../test/support/databases.js'
import { type RedisServer, startRedisServer } from '../../test/support/redis-server.js'
import type { AppName } from '../apps/index.js'
import type { Settings } from '../apps/settings.js'
import { type Bench, PARALLEL } from '../scenarios/scenario.js'
import { Accounts } from './accounts.js'
import { type AppProcess, startApp } from './app-process.js'

/** Starts the servers and apps of a run when they are first needed, and ends all of them. */
export class Workshop implements Bench {
  readonly quick: boolean
  #shared: Promise<RedisServer> | null = null
  readonly #servers: RedisServer[] = []
  #database: Promise<TestDatabase> | null = null
  readonly #apps: AppProcess[] = []
  readonly #accounts = new Map<AppName, Promise<Accounts>>()

  constructor(quick: boolean) {
    this.quick = quick
  }

  accounts(name: AppName): Promise<Accounts> {
    const known = this.#accounts.get(name)
    if (known !== undefined) return known
    const started = this.#start(name, this.#accounts.size)
    this.#accounts.set(name, started)
    return started
  }

  all(names: readonly AppName[]): Promise<Accounts[]> {
    return Promise.all(names.map((name) => this.accounts(name)))
  }

  async accountsIfAvailable(name: AppName): Promise<Accounts | null> {
    try {
      return await this.accounts(name)
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      const why = /ConfigurationError: [^:]*/.exec(String(cause))?.[0]
      if (why === undefined) throw error
      console.log(`not available: ${name} (${why})`)
      return null
    }
  }

  async alone(name: AppName, more: Partial<Settings> = {}) {
    const server = await this.#server()
    const accounts = await this.#started(name, { redisUrl: server.url, ...more })
    return { accounts, redisUrl: server.url }
  }

  async versionOfRedis(): Promise<string> {
    this.#shared ??= this.#server()
    const redis = new Redis((await this.#shared).url)
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? ''
    redis.disconnect()
    return version
  }

  async stop(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()))
    await (await this.#database)?.stop()
    await Promise.all(this.#servers.map((server) => server.stop()))
  }

  /** One server for all apps, and in it a database for each. */
  async #start(name: AppName, place: number): Promise<Accounts> {
    this.#shared ??= this.#server()
    const redisUrl = `${(await this.#shared).url}/${place}`
    if (name !== 'ours, PostgreSQL') return this.#started(name, { redisUrl })
    this.#database ??= POSTGRESQL.start()
    return this.#started(name, { redisUrl, databaseUrl: (await this.#database).url })
  }

  async #started(name: AppName, settings: Settings): Promise<Accounts> {
    const app = await startApp(name, settings, PARALLEL)
    this.#apps.push(app)
    return new Accounts(app)
  }

  async #server(): Promise<RedisServer> {
    const server = await startRedisServer({ args: ['--databases', '64'] })
    this.#servers.push(server)
    return server
  }
}
