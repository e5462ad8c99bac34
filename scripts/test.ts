import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { startMariadb } from '../test/support/mariadb-server.js'
import { startPostgres } from '../test/support/postgres-server.js'
import { startRedisServer } from '../test/support/redis-server.js'
import { requireTools } from './tools.js'

const MOCHA = ['mocha', '--reporter', 'scripts/counting-reporter.cts']
/** All tests, then those over HTTP once more with the records in other places than in memory. */
const RUNS: readonly { readonly command: readonly string[]; readonly TEST_STORE: string }[] = [
  { command: ['c8', ...MOCHA, 'test/**/*.test.ts'], TEST_STORE: '' },
  { command: [...MOCHA, 'test/web/**/*.test.ts'], TEST_STORE: 'redis' },
  { command: [...MOCHA, 'test/web/**/*.test.ts'], TEST_STORE: 'postgresql' },
]
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
  const files: string[] = []
  let failed = 0
  try {
    for (const { command, TEST_STORE } of RUNS) {
      const counts = join(folder, `counts-${files.length}.json`)
      files.push(counts)
      if (TEST_STORE !== '') console.log(`Once more with the records in ${TEST_STORE}:`)
      const env = { NODE_ENV: 'test', ...urls, TEST_STORE, TEST_COUNTS: counts }
      failed = (await run(command, env)) || failed
      if (failed === INTERRUPTED) break
    }
    const unfinished = printCounts(files)
    return failed || unfinished
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

/** The last line, for people and for machines. @returns 1 where a run did not come to its end */
function printCounts(files: readonly string[]): number {
  const ended = files.every((file) => existsSync(file))
  const counts = files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')))
  const sum = (what: 'passes' | 'failures') => counts.reduce((all, one) => all + one[what], 0)
  console.log(`${sum('passes')} passed, ${sum('failures') + (ended ? 0 : 1)} failed`)
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
