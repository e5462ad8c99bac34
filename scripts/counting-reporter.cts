import diagnosticsChannel = require('node:diagnostics_channel')
import fs = require('node:fs')
import net = require('node:net')
import Mocha = require('mocha')

const PATIENCE = 10_000
const { EVENT_HOOK_END, EVENT_RUN_END, EVENT_TEST_END } = Mocha.Runner.constants

/** What a file of tests took, and whether its tests reached the store that can be another one. */
interface FileResult {
  seconds: number
  reachesStore: boolean
}

/**
 * Leaves the counts, and what each file took, in the file that `TEST_RESULT` names. Prints all that
 * Mocha's `spec` does where `TEST_OUTPUT` is `all`, else only what has failed.
 */
class CountingReporter extends Mocha.reporters.Base {
  readonly #files: Record<string, FileResult> = {}
  #before = performance.now()
  #reachesStore = false

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    const all = process.env.TEST_OUTPUT === 'all'
    if (all) new Mocha.reporters.Spec(runner, options)
    diagnosticsChannel.subscribe('store-for-tests', () => {
      this.#reachesStore = true
    })
    runner.on(EVENT_TEST_END, (test) => this.#add(test))
    runner.on(EVENT_HOOK_END, (hook) => this.#add(hook))
    runner.once(EVENT_RUN_END, () => {
      if (!all && this.stats.failures > 0) this.epilogue()
      this.#leaveResult()
      setTimeout(failAsLeftOpen, PATIENCE).unref()
    })
  }

  /** A hook is counted with the tests that it was run for. */
  #add({ file, parent }: Mocha.Runnable): void {
    const of = file ?? parent?.file ?? ''
    const { seconds, reachesStore } = this.#files[of] ?? { seconds: 0, reachesStore: false }
    const now = performance.now()
    this.#files[of] = {
      seconds: seconds + (now - this.#before) / 1000,
      reachesStore: reachesStore || this.#reachesStore,
    }
    this.#before = now
    this.#reachesStore = false
  }

  #leaveResult(): void {
    const { passes, failures } = this.stats
    const { user, system } = process.cpuUsage()
    const result = { passes, failures, files: this.#files, cpuSeconds: (user + system) / 1e6 }
    const file = process.env.TEST_RESULT
    if (file !== undefined) fs.writeFileSync(file, JSON.stringify(result))
  }
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
