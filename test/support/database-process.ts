import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './redis-server.js'
import { stopProcess } from './stop-process.js'

const READY_WITHIN = 30_000
const run = promisify(execFile)

/** A real database server of the test's own, on 127.0.0.1, in a folder of its own. */
export interface DatabaseServer {
  readonly url: string
  /** Where its data are, in `data`. */
  readonly folder: string
  /** Ends the server and removes its folder. Harmless when it has ended already. */
  stop(): Promise<void>
  /** Ends the server at once, as a crash does. The data stay, `restart()` works. */
  kill(): Promise<void>
  /** Freezes the server: connections stay open and nothing is answered. */
  pause(): void
  resume(): void
  /** The same server on the same port with the same data. */
  restart(): Promise<void>
}

/** What differs between databases. */
export interface DatabaseProgram {
  readonly name: string
  /** Whose account runs it where the tests run as root, which databases refuse. */
  readonly account: string
  /** Fills an empty folder: program and arguments. */
  prepare(folder: string): readonly string[]
  /** Runs the server in the foreground: program and arguments. */
  serve(folder: string, port: number): readonly string[]
  /** What it says when it answers. */
  readonly ready: string
  /** The signal that ends all of its processes without writing anything more. */
  readonly killedBy: NodeJS.Signals
  url(port: number): string
}

interface Account {
  uid?: number
  gid?: number
}

export async function startDatabase(program: DatabaseProgram): Promise<DatabaseServer> {
  const account = accountOf(program.account)
  const folder = await mkdtemp(join(tmpdir(), `second-step-${program.name}-`))
  if (account.uid !== undefined) await chown(folder, account.uid, account.gid ?? account.uid)
  const [prepare = '', ...args] = program.prepare(folder)
  const port = await freePort()
  const start = () => startProcess(program, folder, port, account)
  const running = { child: null as ChildProcess | null }
  const atExit = () => {
    running.child?.kill(program.killedBy)
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', atExit)
  const stop = async () => {
    await end(running.child, program.killedBy)
    process.off('exit', atExit)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await run(prepare, args, { ...account, cwd: folder, env: { ...process.env, HOME: folder } })
    running.child = await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: program.url(port),
    folder,
    stop,
    kill: () => end(running.child, program.killedBy),
    pause: () => signalAll(running.child, 'SIGSTOP'),
    resume: () => signalAll(running.child, 'SIGCONT'),
    async restart() {
      await end(running.child, program.killedBy)
      running.child = await start()
    },
  }
}

/** The folder of a program that is not on the PATH: Debian keeps versions side by side. */
export function newestFolder(parent: string, inside: string): string {
  const versions = existsSync(parent)
    ? readdirSync(parent).sort((a, b) => Number(b) - Number(a))
    : []
  const found = versions.find((version) => existsSync(join(parent, version, inside)))
  return found === undefined ? '' : `${join(parent, found, inside)}/`
}

function accountOf(name: string): Account {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function startProcess(
  program: DatabaseProgram,
  folder: string,
  port: number,
  account: Account,
): Promise<ChildProcess> {
  const [command = '', ...args] = program.serve(folder, port)
  const child = spawn(command, args, {
    ...account,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    await saying(child, program.ready)
  } catch (cause) {
    await end(child, program.killedBy)
    throw new Error(`${program.name} did not start on port ${port}`, { cause })
  }
  return child
}

/** Waits until the server has said that it answers. Reads on, or a full pipe would stop it. */
async function saying(child: ChildProcess, ready: string): Promise<void> {
  let said = ''
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}:\n${said}`))
      timer = setTimeout(() => fail(`no answer within ${READY_WITHIN} ms`), READY_WITHIN)
      child.once('error', reject)
      child.once('exit', (code) => fail(`ended (${code})`))
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          said = (said + chunk.toString()).slice(-4000)
          if (said.includes(ready)) resolve()
        })
      }
    })
  } finally {
    clearTimeout(timer)
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return
  if (child.pid === undefined) return
  signalAll(child, 'SIGCONT')
  const exit = once(child, 'exit')
  if (signal === 'SIGKILL') signalAll(child, signal)
  else child.kill(signal)
  await exit
}

/** PostgreSQL has a process for each connection. */
function signalAll(child: ChildProcess | null, signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return
  for (const pid of [child.pid, ...childrenOf(child.pid)]) {
    try {
      if (signal === 'SIGSTOP') stopProcess(pid)
      else process.kill(pid, signal)
    } catch {
      // It has ended in between.
    }
  }
}

function childrenOf(pid: number): readonly number[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = listed.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []))
}
