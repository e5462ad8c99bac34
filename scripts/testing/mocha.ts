import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { StoreCall } from '../../test/support/watched-store.js'
import { COMPILED } from './compile.js'

/** What a file of tests took, and its tests that called the store of a host. */
export interface FileOutcome {
  readonly seconds: number
  readonly tests: readonly TestOutcome[]
}

export interface TestOutcome {
  readonly title: string
  /** The calls, one after the other. */
  readonly calls: readonly StoreCall[]
}

/** What a process of tests has come to. */
export interface Outcome {
  readonly passes: number
  /** A process that did not end well, and says of no test why, counts as one. */
  readonly failures: number
  /** By file, as in the repository. */
  readonly files: Readonly<Record<string, FileOutcome>>
  /** What it said, and how it ended where that was not well. */
  readonly output: string
}

/** Which tests, and how. */
export interface Task {
  /** Files or patterns, as in the repository. */
  readonly files: readonly string[]
  /** The full titles of the tests, where they are not all. */
  readonly titles?: readonly string[] | undefined
  readonly env: NodeJS.ProcessEnv
  /** Whether what Mocha says is shown as it comes, with all tests. */
  readonly show: boolean
}

/** What is to end the tests reaches all of their processes. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const { timeout } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))
const COMMAND = [
  ...['node_modules/mocha/bin/mocha.js', '--no-config', '--no-package', '--forbid-only'],
  ...['--forbid-pending', '--timeout', String(timeout)],
  ...['--reporter', join(COMPILED, 'scripts/counting-reporter.cjs')],
]

/** Runs compiled tests in a process of their own. */
export async function runMocha({ files, titles, env, show }: Task): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'second-step-test-'))
  const result = join(folder, 'result.json')
  try {
    const own = { NODE_ENV: 'test', TEST_RESULT: result, ...(show ? { TEST_OUTPUT: 'all' } : {}) }
    const { how, output } = await run(
      [...COMMAND, ...selecting(titles), ...files.map(compiled)],
      { ...own, ...env },
      show,
    )
    return outcomeOf(existsSync(result) ? readFileSync(result, 'utf8') : null, how, output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function selecting(titles: readonly string[] | undefined): readonly string[] {
  if (titles === undefined) return []
  const escaped = titles.map((title) => title.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return ['--grep', `^(?:${escaped.join('|')})$`]
}

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  show: boolean,
): Promise<{ how: string; output: string }> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    // A group of its own, so that whatever the tests have started ends with them.
    detached: true,
    env: { ...process.env, ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const closed = once(child, 'close')
  const stop = (signal: NodeJS.Signals) => signalGroup(child.pid, signal)
  for (const signal of ENDING) process.on(signal, stop)
  const [code, signal] = await once(child, 'exit')
  for (const signal of ENDING) process.off(signal, stop)
  // What it left behind would keep the pipes open.
  signalGroup(child.pid, 'SIGKILL')
  await closed
  return { how: signal === null ? `code ${code}` : `${signal}`, output }
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (leader !== undefined) process.kill(-leader, signal)
  } catch {
    // All of it has ended.
  }
}

/** @param how the process ended: a code or a signal */
function outcomeOf(result: string | null, how: string, output: string): Outcome {
  if (result === null) {
    const ending = `The tests did not come to their end: ${how}.\n`
    return { passes: 0, failures: 1, files: {}, output: output + ending }
  }
  const { passes, failures, files } = JSON.parse(result)
  const named = Object.entries<Outcome['files'][string]>(files).map(
    ([file, took]) => [inRepository(file), took] as const,
  )
  const told = { passes, files: Object.fromEntries(named) }
  if (failures > 0 || how === 'code 0') return { ...told, failures, output }
  const ending = `No test failed, but the process of the tests ended with ${how}.\n`
  return { ...told, failures: 1, output: output + ending }
}

function compiled(file: string): string {
  return join(COMPILED, relative('', file).replace(/\.ts$/, '.js'))
}

function inRepository(file: string): string {
  return relative(COMPILED, file).replace(/\.js$/, '.ts')
}
