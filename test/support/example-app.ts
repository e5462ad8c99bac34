import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type VirtualAuthenticator, virtualAuthenticator } from '../../lib/testing/index.js'
import { clientOfApp } from './client-of-app.js'
import { APP_ARGUMENTS, builtWhereNeeded, moduleFile } from './modules.js'
import { startRedis } from './redis.js'
import { freePort } from './redis-server.js'
import type { Visitor } from './visitor.js'

/** The example app, running as a process of its own. */
export interface ExampleApp {
  readonly url: string
  /** Whether the process lives. */
  readonly alive: boolean
  /** What it has said, on both streams. */
  output(): string
  /** Waits until it says something, from now on. */
  says(what: string): Promise<void>
  /** Asks it to end, as a supervisor does. @returns its exit code */
  stop(): Promise<number | null>
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>
}

/** The app's environment, all of it but what Node needs. */
export type Environment = Readonly<Record<string, string>>

type AppProcess = ChildProcessWithoutNullStreams

const COMMAND = [...APP_ARGUMENTS, moduleFile('example-app/main')]
// Safe ones cost a third of a second each, and these tests sign in thousands of times.
const CHEAP_PASSWORDS = '1'

/** Starts the app as `npm start` does and waits until it is ready. */
export async function startExampleApp(env: Environment = {}): Promise<ExampleApp> {
  const port = await freePort()
  const { child, output } = await spawnApp({ PORT: String(port), ...env })
  const atExit = () => child.kill('SIGKILL')
  process.once('exit', atExit)
  child.once('exit', () => process.off('exit', atExit))
  await says(child, 'ready').catch(() => {
    throw new Error(`the example app did not start:\n${output()}`)
  })
  return {
    url: `http://127.0.0.1:${port}`,
    get alive() {
      return child.exitCode === null && child.signalCode === null
    },
    output,
    says: (what) => says(child, what),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit')
        child.kill('SIGTERM')
        await exit
      }
      return child.exitCode
    },
    async kill() {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** Runs the app where it is to refuse to start. */
export async function runToItsEnd(env: Environment): Promise<{ code: number; output: string }> {
  const { child, output } = await spawnApp(env)
  const [code] = await once(child, 'close')
  return { code, output: output() }
}

async function spawnApp(env: Environment) {
  await builtWhereNeeded()
  const child = spawn(process.execPath, COMMAND, {
    env: {
      PATH: process.env.PATH,
      TSX_TSCONFIG_PATH: 'example-app/tsconfig.json',
      ...(env.NODE_ENV === 'production' ? {} : { PASSWORD_COST: CHEAP_PASSWORDS }),
      ...env,
      ...clientOfApp(env.REDIS_CLIENT),
    },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  return { child, output: () => said }
}

function says(child: AppProcess, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const listen = (chunk: Buffer) => {
      heard += chunk.toString()
      if (heard.includes(what)) resolve()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('close', () => reject(new Error(`the example app ended without "${what}"`)))
  })
}

/** Secrets that processes on one Redis share. */
export function sharedSecrets(): Environment {
  return {
    SECOND_STEP_KEYS: randomBytes(32).toString('base64'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
  }
}

/** The Redis that the test run was given, else one for this test. Nothing in it may be emptied. */
export async function redisForTests(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.REDIS_URL
  return given ? { url: given, stop: async () => undefined } : startRedis()
}

/** Somebody with an account in the example app. */
export interface Person {
  readonly email: string
  readonly name: string
  readonly password: string
}

export function newPerson(): Person {
  const unique = randomUUID()
  return { email: `${unique}@example.test`, name: 'Nora New', password: `password-${unique}` }
}

/** A person who has set up a second step. */
export interface EnrolledPerson extends Person {
  readonly secret: string
  readonly authenticator: VirtualAuthenticator
  readonly backupCodes: readonly string[]
}

/** Registers somebody and sets up a second step, over JSON. */
export async function enrolNewPerson(visitor: Visitor): Promise<EnrolledPerson> {
  const person = newPerson()
  await visitor.postJson('/register', person)
  const { secret = '' } = (await visitor.getJson('/second-step/setup')).body
  const authenticator = virtualAuthenticator(secret)
  const code = authenticator.next()
  const { backupCodes } = (await visitor.postJson('/second-step/setup', { code })).body
  if (backupCodes === undefined) throw new Error('the set-up was not confirmed')
  return { ...person, secret, authenticator, backupCodes }
}

/** The first step, over JSON. */
export async function passwordLogin(visitor: Visitor, { email, password }: Person) {
  return visitor.postJson('/login', { username: email, password })
}
