import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { compile } from './testing/compile.js'
import { COVERED, Coverage, forgetCoverage } from './testing/coverage.js'
import { hasTimeLeft } from './testing/machine.js'
import { runMocha } from './testing/mocha.js'
import { type Capacity, type Job, runAll } from './testing/pool.js'
import { Progress } from './testing/progress.js'
import { Repetition } from './testing/repetition.js'
import { startServers } from './testing/servers.js'
import { startsProcesses, testFiles } from './testing/test-files.js'
import { countsCoverage, isOverHttp, type Unit, units, weightOf } from './testing/units.js'
import { requireTools } from './tools.js'

const INTERRUPTED = 130
const WATCH_EVERY = 500
/** Few, as tests that wait now compute a little later. */
const EXTRA = 2
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
endWithParent()

/** `npm test`: everything, or the files that are given. `npm run test:quick`: `--quick`. */
function test(args: readonly string[]): Promise<number> {
  if (args.length === 0) return testEverything()
  return args[0] === '--quick' ? testQuickly() : testFilesOf(args)
}

/** All tests against real servers: those that the environment names, else some of its own. */
async function testEverything(): Promise<number> {
  requireTools()
  const [servers, ...ready] = await Promise.all([
    startServers(),
    compile().then(() => true),
    npmRun('check'),
    npmRun('build'),
  ])
  try {
    const progress = new Progress(0)
    if (!ready.every(Boolean)) {
      console.log('0 passed, 1 failed')
      return 1
    }
    forgetCoverage()
    const all = units()
    const coverage = new Coverage(all)
    const environmentOf: EnvironmentOf = (unit, slot) => ({
      ...servers.environment(slot),
      TEST_BUILT: 'true',
      TEST_STORE: unit.store,
      TEST_CALLS: String(unit.store === '' && unit.files.some(isOverHttp)),
      ...(countsCoverage(unit) ? COVERED : {}),
    })
    await runUnits(all, progress, { environmentOf, after: (unit) => coverage.after(unit) })
    const covered = coverage.isReached()
    progress.printLongest()
    progress.printCounts()
    return interrupted ? INTERRUPTED : progress.failures > 0 || !covered ? 1 : 0
  } finally {
    await servers.stop()
  }
}

/** What needs neither server nor browser nor program, with the records in memory. */
async function testQuickly(): Promise<number> {
  await compile()
  const files = testFiles().filter((file) => !startsProcesses(file))
  const progress = new Progress(0)
  await runUnits(units(files), progress, { stores: [] })
  progress.printCounts()
  return progress.failures > 0 ? 1 : 0
}

/** Some files, by names or patterns. Each starts the servers that it needs. */
async function testFilesOf(files: readonly string[]): Promise<number> {
  requireTools()
  await compile()
  const { passes, failures, output } = await runMocha({ files, env: {}, show: true })
  console.log(`${output}${passes} passed, ${failures} failed`)
  return failures > 0 ? 1 : 0
}

type EnvironmentOf = (unit: Unit, slot: number) => NodeJS.ProcessEnv

interface How {
  readonly environmentOf?: EnvironmentOf
  /** What is to be run after a unit, beside its repetition. */
  readonly after?: (unit: Unit) => readonly Job[]
  /** Those that the tests of the routes are repeated with; all where none are named. */
  readonly stores?: readonly string[]
}

/** Runs as much at once as the machine can: some of it often waits. Then one by one what must be alone. */
async function runUnits(
  all: readonly Unit[],
  progress: Progress,
  { environmentOf = () => ({}), after = () => [], stores }: How,
): Promise<void> {
  const repetition = new Repetition(all, stores)
  const jobOf = (unit: Unit): Job => ({
    weight: weightOf(unit),
    async run(slot) {
      if (interrupted) return []
      const env = environmentOf(unit, slot)
      const outcome = await runMocha({ files: unit.files, titles: unit.titles, env, show: false })
      const more = repetition.after(unit, outcome)
      progress.expect(more.length)
      progress.add(unit, outcome)
      return [...after(unit), ...more.map(jobOf)]
    },
  })
  progress.expect(all.length)
  const capacity: Capacity = { weight: availableParallelism() + 1, extra: EXTRA, hasTimeLeft }
  await runAll(all.filter(({ alone }) => !alone).map(jobOf), capacity)
  for (const unit of all.filter(({ alone }) => alone)) await runAll([jobOf(unit)], capacity)
}

/** @returns whether it went well */
async function npmRun(script: string): Promise<boolean> {
  const [code] = await once(spawn('npm', ['run', '-s', script], { stdio: 'inherit' }), 'exit')
  return code === 0
}

function interrupt(): void {
  interrupted = true
}

/** Who ends npm may pass no signal on: then the servers would go on, and the tests with them. */
function endWithParent(): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, WATCH_EVERY)
  watch.unref()
}

test(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  },
)
