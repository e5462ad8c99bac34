import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { startMariadb } from '../test/support/mariadb-server.js'
import { startPostgres } from '../test/support/postgres-server.js'
import { startRedisServer } from '../test/support/redis-server.js'
import { requireTools } from './tools.js'

const COMMAND = ['c8', 'mocha', '--reporter', 'scripts/counting-reporter.cts', 'test/**/*.test.ts']
const INTERRUPTED = 130

/** The servers that the tests share, by the variable that names one to use instead. */
const SERVERS = {
  REDIS_URL: startRedisServer,
  POSTGRES_URL: startPostgres,
  MARIADB_URL: startMariadb,
} as const

/** Runs all tests against real servers: those that the environment names, else some of its own. */
async function test(): Promise<number> {
  requireTools()
  const started: { url: string; stop(): Promise<void> }[] = []
  const urls: Record<string, string> = {}
  try {
    for (const [name, start] of Object.entries(SERVERS)) {
      const given = process.env[name]
      const server = given ? { url: given, stop: async () => undefined } : await start()
      started.push(server)
      urls[name] = server.url
    }
    return await runMocha(urls)
  } finally {
    await Promise.all(started.map((server) => server.stop()))
  }
}

async function runMocha(urls: Readonly<Record<string, string>>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'second-step-test-'))
  const counts = join(folder, 'counts.json')
  try {
    const exitCode = await run(COMMAND, {
      NODE_ENV: 'test',
      ...urls,
      TEST_COUNTS: counts,
    })
    const unfinished = printCounts(counts)
    return exitCode || unfinished
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const PATH = [resolve('node_modules/.bin'), process.env.PATH].join(delimiter)
  const child = spawn(program, args, {
    stdio: 'inherit',
    // A group of its own, so that whatever the tests have started ends with them.
    detached: true,
    env: { ...process.env, ...env, PATH },
  })
  const stop = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const [code] = await once(child, 'exit')
  process.off('SIGINT', stop).off('SIGTERM', stop)
  return code ?? INTERRUPTED
}

/** The last line, for people and for machines. @returns 1 where Mocha did not come to its end */
function printCounts(file: string): number {
  const ended = existsSync(file)
  const counts = ended ? JSON.parse(readFileSync(file, 'utf8')) : { passes: 0, failures: 1 }
  console.log(`${counts.passes} passed, ${counts.failures} failed`)
  return ended ? 0 : 1
}

test().then(
  (exitCode) => {
    process.exitCode = exitCode
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  },
)
