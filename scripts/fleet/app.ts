import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { APP_ARGUMENTS, moduleFile } from '../../test/support/modules.js'
import { clockAhead } from '../../test/support/process-clock.js'
import { freePort } from '../../test/support/redis-server.js'
import { stopProcess } from '../../test/support/stop-process.js'
import { Link } from './link.js'
import { pause } from './waiting.js'

const READY_WITHIN = 60_000
const LAST_WORDS = 4000

/** A process of the example app, the link by which the proxy reaches it, and its clock. */
export class App {
  readonly name: string
  readonly link: Link
  readonly #port: number
  readonly #clock: string
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | null = null
  #said = ''

  private constructor(
    name: string,
    link: Link,
    port: number,
    clock: string,
    environment: Readonly<Record<string, string>>,
  ) {
    this.name = name
    this.link = link
    this.#port = port
    this.#clock = clock
    this.#environment = environment
  }

  /** @param clock a file that says by how many seconds the clock of the process is off */
  static async start(
    name: string,
    clock: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<App> {
    const port = await freePort()
    const link = await Link.open(port)
    const { LD_PRELOAD = '', FAKETIME_DONT_FAKE_MONOTONIC = '' } = await clockAhead(0)
    const fake = { LD_PRELOAD, FAKETIME_DONT_FAKE_MONOTONIC }
    const app = new App(name, link, port, clock, { ...environment, ...fake })
    try {
      await app.setClock(0)
      await app.start()
      return app
    } catch (error) {
      await app.stop()
      throw error
    }
  }

  /** Starts the process, which must not run, and waits until it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...APP_ARGUMENTS, moduleFile('example-app/main')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        TSX_TSCONFIG_PATH: 'example-app/tsconfig.json',
        PASSWORD_COST: '1',
        PORT: String(this.#port),
        ...{ FAKETIME_TIMESTAMP_FILE: this.#clock, FAKETIME_CACHE_DURATION: '1' },
        ...this.#environment,
      },
    })
    this.#child = child
    await this.#ready(child)
  }

  /** Starts it as a supervisor does: again and again, while what it needs is away. */
  async startAgain(tries = 20): Promise<void> {
    try {
      await this.start()
    } catch (error) {
      if (tries === 1) throw error
      await pause(500)
      await this.startAgain(tries - 1)
    }
  }

  /** Of the process that runs now. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it has said last. */
  get said(): string {
    return this.#said
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || !this.isRunning) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    removeFakedTime(child.pid)
  }

  halt(): void {
    stopProcess(this.pid)
  }

  goOn(): void {
    if (this.isRunning) process.kill(this.pid, 'SIGCONT')
  }

  /** Moves its clock, within a second, to so many seconds ahead of the machine's. */
  async setClock(seconds: number): Promise<void> {
    await writeFile(this.#clock, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  /** Milliseconds that it was ready to run and the machine had no time for it (proc(5), schedstat). */
  starved(): number {
    try {
      const [, waited = '0'] = readFileSync(`/proc/${this.pid}/schedstat`, 'utf8').split(' ')
      return Number(waited) / 1e6
    } catch {
      return 0
    }
  }

  async stop(): Promise<void> {
    this.link.close()
    await this.kill()
  }

  async #ready(child: ChildProcess): Promise<void> {
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN)
    try {
      await new Promise<void>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream?.on('data', (chunk: Buffer) => {
            this.#said = (this.#said + chunk.toString()).slice(-LAST_WORDS)
            if (/^ready$/m.test(chunk.toString())) resolve()
          })
        }
        child.once('error', reject)
        child.once('exit', () => reject(new Error(`${this.name} did not start:\n${this.#said}`)))
      })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What libfaketime leaves of a process that was killed: another one with its id could not start. */
function removeFakedTime(pid = 0): void {
  for (const name of ['faketime_shm', 'sem.faketime_sem']) {
    rmSync(`/dev/shm/${name}_${pid}`, { force: true })
  }
}
