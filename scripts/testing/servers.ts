import { startMariadb } from '../../test/support/mariadb-server.js'
import { startPostgres } from '../../test/support/postgres-server.js'
import { startRedisServer } from '../../test/support/redis-server.js'

/** The servers that the tests share, by the variable that names one to use instead. */
const SERVERS = {
  REDIS_URL: () => startRedisServer({ args: ['--databases', '64'] }),
  POSTGRES_URL: startPostgres,
  MARIADB_URL: startMariadb,
} as const

/** Servers that run, and how a process of tests finds them. */
export interface Servers {
  /** @param slot of processes that run at once each has its own */
  environment(slot: number): Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts what the environment names no server for. */
export async function startServers(): Promise<Servers> {
  const started: { readonly url: string; stop(): Promise<void> }[] = []
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()))
  }
  const urls: Record<string, string> = {}
  const starting = Object.entries(SERVERS).map(async ([name, start]) => {
    const given = process.env[name]
    const server = given ? { url: given, stop: async () => undefined } : await start()
    started.push(server)
    urls[name] = server.url
  })
  const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') {
    await stop()
    throw failed.reason
  }
  return {
    environment: (slot) => ({ ...urls, REDIS_URL: withDatabase(urls.REDIS_URL, slot) }),
    stop,
  }
}

/** Apps that run at once share neither sessions nor the counters of an address. */
function withDatabase(url = '', slot: number): string {
  return Object.assign(new URL(url), { pathname: `/${slot}` }).href
}
