import crypto = require('node:crypto')
import diagnosticsChannel = require('node:diagnostics_channel')
import fs = require('node:fs')
import net = require('node:net')
import Mocha = require('mocha')
import whereWritten = require('./where-written.cjs')

const PATIENCE = 10_000
const { EVENT_HOOK_END, EVENT_RUN_END, EVENT_TEST_END, EVENT_TEST_FAIL } = Mocha.Runner.constants

/** What a file of tests took, and with `TEST_CALLS` which of its tests called the store. */
interface FileResult {
  seconds: number
  tests: TestResult[]
}

interface TestResult {
  title: string
  /** One after the other, with hashes of what was asked and answered. */
  calls: { whole: string; outline: string }[]
}

/**
 * Leaves the counts, and what each file took, in the file that `TEST_RESULT` names. Prints all that
 * Mocha's `spec` does where `TEST_OUTPUT` is `all`, else only what has failed.
 */
class CountingReporter extends Mocha.reporters.Base {
  readonly #files: Record<string, FileResult> = {}
  #before = performance.now()
  #calls: TestResult['calls'] = []

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    // Before whoever prints it.
    runner.prependListener(EVENT_TEST_FAIL, (_, error) => {
      if (typeof error?.stack === 'string') error.stack = whereWritten(error.stack)
    })
    const all = process.env.TEST_OUTPUT === 'all'
    if (all) new Mocha.reporters.Spec(runner, options)
    if (process.env.TEST_CALLS === 'true') {
      diagnosticsChannel.subscribe('store-calls', (call) => {
        const { whole, outline } = Object(call)
        this.#calls.push({ whole: shortened(whole), outline: shortened(outline) })
      })
    }
    runner.on(EVENT_TEST_END, (test) => this.#addTest(test))
    runner.on(EVENT_HOOK_END, (hook) => this.#addTime(hook))
    runner.once(EVENT_RUN_END, () => {
      if (!all && this.stats.failures > 0) this.epilogue()
      this.#leaveResult()
      setTimeout(failAsLeftOpen, PATIENCE).unref()
    })
  }

  /** What a hook has called is counted with the test that comes next. */
  #addTest(test: Mocha.Test): void {
    const { tests } = this.#addTime(test)
    if (this.#calls.length > 0) tests.push({ title: test.fullTitle(), calls: this.#calls })
    this.#calls = []
  }

  /** A hook is counted with the tests that it was run for. */
  #addTime({ file, parent }: Mocha.Runnable): FileResult {
    const of = file ?? parent?.file ?? ''
    const { seconds, tests } = this.#files[of] ?? { seconds: 0, tests: [] }
    const now = performance.now()
    const result = { seconds: seconds + (now - this.#before) / 1000, tests }
    this.#before = now
    this.#files[of] = result
    return result
  }

  #leaveResult(): void {
    const { passes, failures } = this.stats
    const { user, system } = process.cpuUsage()
    const result = { passes, failures, files: this.#files, cpuSeconds: (user + system) / 1e6 }
    const file = process.env.TEST_RESULT
    if (file !== undefined) fs.writeFileSync(file, JSON.stringify(result))
  }
}

function shortened(text: string): string {
  return crypto.hash('sha1', text, 'base64url').slice(0, 12)
}

/** Tests close what they open. Runs only where something still holds the process up. */
function failAsLeftOpen(): void {
  const kinds = process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap')
  const handles: unknown = Reflect.get(process, '_getActiveHandles').call(process)
  const known = Array.isArray(handles) ? handles.flatMap((handle) => describe(handle) ?? []) : []
  const left = [...known, ...kinds].map((one) => `\n  ${one}`).join('')
  console.error(
    `The tests have ended, but after ${PATIENCE / 1000} seconds something is still open:${left}`,
  )
  process.exit(1)
}

/** What a handle is of, in words that lead to who opened it. */
function describe(handle: unknown): string | null {
  if (handle instanceof net.Server)
    return `a server that listens: ${JSON.stringify(handle.address())}`
  if (handle instanceof net.Socket && handle.remotePort !== undefined) {
    return `a connection from port ${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`
  }
  const command: unknown = Reflect.get(Object(handle), 'spawnargs')
  return Array.isArray(command) ? `a process that was started: ${command.join(' ')}` : null
}

export = CountingReporter
