import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { startRedisServer } from '../test/support/redis-server.js'
import { requireTools } from './tools.js'

const COMMAND = ['c8', 'mocha', '--reporter', 'scripts/counting-reporter.cts', 'test/**/*.test.ts']
const INTERRUPTED = 130

/** Runs all tests against a real Redis: the one that REDIS_URL names, else one of its own. */
async function test(): Promise<number> {
  requireTools()
  const given = process.env.REDIS_URL
  if (given) return runMocha(given)
  const redis = await startRedisServer()
  try {
    return await runMocha(redis.url)
  } finally {
    await redis.stop()
  }
}

async function runMocha(redisUrl: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'second-step-test-'))
  const counts = join(folder, 'counts.json')
  try {
    const exitCode = await run(COMMAND, {
      NODE_ENV: 'test',
      REDIS_URL: redisUrl,
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
