import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtWhereNeeded } from '../../test/support/modules.js'
import { App } from './app.js'
import { appFaults, CLOCK_OFF } from './app-faults.js'
import type { Wanted } from './arguments.js'
import { readAudits } from './audits.js'
import type { Desk } from './browser.js'
import { type Finding, judge } from './checker/judge.js'
import { figures } from './figures.js'
import type { FaultKind, Ground } from './ground.js'
import { onPostgres } from './grounds/on-postgres.js'
import { onRedis } from './grounds/on-redis.js'
import { lastLogins } from './last-logins.js'
import { Load } from './load.js'
import { runNemesis } from './nemesis.js'
import { startProxy } from './proxy.js'
import { Random } from './random.js'
import { Recorder } from './recorder.js'
import { watchStarvation } from './starvation.js'
import { type FleetUser, seedUsers } from './users.js'

const APPS = ['app 1', 'app 2', 'app 3', 'app 4'] as const
const MOST_USERS = 20_000
const PROGRESS_EVERY = 5000

/** How a run came out. */
export interface Outcome {
  readonly findings: readonly Finding[]
  /** Null: it came to its end. */
  readonly unfinished: string | null
  readonly figures: readonly string[]
  /** Where the history is. */
  readonly history: string
}

export type Say = (line: string) => void

/** Ends what a run has started, the last that was begun first. */
export class Ends {
  readonly #ends: (() => Promise<void>)[] = []

  push(end: () => Promise<void>): void {
    this.#ends.push(end)
  }

  /** Safe to call again. */
  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await end()
  }
}

/** Brings a fleet up, does it harm while people sign in, and judges what happened. */
export async function runFleet(wanted: Wanted, say: Say, ends: Ends): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-fleet-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  try {
    return await runIn(folder, wanted, say, ends)
  } finally {
    await ends.end()
  }
}

async function runIn(folder: string, wanted: Wanted, say: Say, ends: Ends): Promise<Outcome> {
  const random = new Random(wanted.seed)
  await builtWhereNeeded()
  const ground = await (wanted.database === 'redis' ? onRedis(wanted) : onPostgres())
  ends.push(() => ground.stop())
  say(`${ground.name} is up`)

  const key = randomBytes(32).toString('base64')
  const places = await ground.open()
  ends.push(() => places.close())
  const users = await seedUsers(
    Math.min(MOST_USERS, Math.ceil(wanted.logins * 0.7) + 20),
    places,
    key,
  )
  say(`${users.length} users with a second step`)

  const apps = await startApps(folder, { ...ground.environment, SECOND_STEP_KEYS: key }, ends)
  const proxy = await startProxy(
    folder,
    apps.map(({ link }) => link.port),
  )
  ends.push(() => proxy.stop())
  say(`nginx at ${proxy.url} in front of ${apps.length} processes`)

  const recorder = new Recorder(
    join(tmpdir(), `second-step-fleet-${wanted.seed}-${Date.now()}.jsonl`),
  )
  ends.push(() => recorder.close())
  const unwatch = watchStarvation(apps, recorder)
  ends.push(async () => unwatch())
  const unfinished = await underLoad({
    wanted,
    ground,
    apps,
    users,
    url: proxy.url,
    random,
    recorder,
    say,
  })
  for (const entry of await lastLogins(apps, users, deskOf(apps, recorder))) recorder.add(entry)
  const { audit } = places.store
  if (audit === undefined) throw new Error('the store has no audit log')
  const known = new Set(recorder.entries.flatMap((entry) => ('user' in entry ? [entry.user] : [])))
  for (const entry of await readAudits(audit, [...known])) recorder.add(entry)

  const terms = { apps: APPS, skew: 2 * CLOCK_OFF * 1000 }
  const findings = judge(recorder.entries, terms)
  return { findings, unfinished, figures: figures(recorder.entries), history: recorder.file }
}

async function startApps(
  folder: string,
  environment: Readonly<Record<string, string>>,
  ends: Ends,
): Promise<readonly App[]> {
  const shared = {
    ...environment,
    SESSION_SECRET: randomBytes(32).toString('base64'),
    TRUST_PROXY: '1',
  }
  const apps: App[] = []
  ends.push(async () => void (await Promise.all(apps.map((app) => app.stop()))))
  for (const name of APPS) {
    apps.push(await App.start(name, join(folder, `${name.replace(' ', '-')}.clock`), shared))
  }
  return apps
}

function deskOf(apps: readonly App[], recorder: Recorder): Desk {
  const names = new Map(apps.map(({ link, name }) => [String(link.port), name]))
  return { recorder, appAt: (port) => names.get(port) ?? null }
}

interface UnderLoad {
  readonly wanted: Wanted
  readonly ground: Ground
  readonly apps: readonly App[]
  readonly users: readonly FleetUser[]
  readonly url: string
  readonly random: Random
  readonly recorder: Recorder
  readonly say: Say
}

/** Signs people in, and does harm, until there were enough logins and all faults. @returns why it has not come so far */
async function underLoad(run: UnderLoad): Promise<string | null> {
  const { wanted, ground, apps, users, url, random, recorder, say } = run
  const desk = deskOf(apps, recorder)
  const load = new Load({ url, users, desk, random: random.branch(), atOnce: wanted.atOnce })
  const isLate = () => recorder.now() > wanted.within * 1000
  let harmed = false
  let over = false
  const isEnding = () => over || isLate() || (harmed && load.logins >= wanted.logins)
  const nemesis = (kinds: readonly FaultKind[]) =>
    runNemesis({
      kinds: kinds.filter((kind) => isWanted(kind, wanted)),
      times: wanted.faults,
      random: random.branch(),
      recorder,
      progress: () => load.logins / wanted.logins,
      isEnding: isLate,
      after: (from) => load.replay(from),
    })
  const timer = setInterval(() => say(progressOf(load, recorder)), PROGRESS_EVERY)
  try {
    const harm = Promise.all([nemesis(ground.faults), nemesis(appFaults(apps, recorder))])
    const ended = harm.finally(() => {
      harmed = true
    })
    await Promise.all([ended, load.run(isEnding)])
  } finally {
    over = true
    clearInterval(timer)
  }
  say(progressOf(load, recorder))
  return isLate() ? `${load.logins} of ${wanted.logins} logins after ${wanted.within} s` : null
}

function isWanted({ name, loses = false }: FaultKind, { only }: Wanted): boolean {
  return only === null ? !loses : name.includes(only)
}

function progressOf(load: Load, recorder: Recorder): string {
  const faults = recorder.entries.filter(({ kind }) => kind === 'fault').length
  return `${(recorder.now() / 1000).toFixed(0)} s: ${load.logins} logins, ${faults} faults`
}
