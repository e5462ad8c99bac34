import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopProcess } from './stop-process.js'

/** A real redis-server of the test's own, on 127.0.0.1. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** The process's id at this moment; another one after `restart()`. */
  readonly pid: number
  /** Ends the server and removes its folder. Harmless when it has ended already. */
  stop(): Promise<void>
  /** Ends the process at once, as a crash does. The folder stays, `restart()` works. */
  kill(): Promise<void>
  /** Freezes the process: connections stay open and nothing is answered. */
  pause(): void
  resume(): void
  /** A new and, without persistence, empty server on the same port. */
  restart(): Promise<void>
}

const READY_WITHIN = 20_000

/**
 * Starts a redis-server on a free port in a folder of its own and waits until it answers.
 *
 * @param options.args further command line arguments, such as `['--maxmemory-policy', 'noeviction']`
 */
export async function startRedisServer(
  options: { args?: readonly string[] } = {},
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-redis-'))
  const port = await freePort()
  const start = () => startProcess(port, folder, options.args ?? [])
  let running = await start().catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  const atExit = () => {
    running.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', atExit)

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return pidOf(running)
    },
    async stop() {
      process.off('exit', atExit)
      await end(running)
      await rm(folder, { recursive: true, force: true })
    },
    kill: () => end(running),
    pause: () => stopProcess(pidOf(running)),
    resume: () => process.kill(pidOf(running), 'SIGCONT'),
    async restart() {
      await end(running)
      running = await start()
    },
  }
}

/**
 * Below the ports that the kernel hands out itself (from 32768 on Linux): whoever connects or listens on
 * port 0 meanwhile, in this process or another, is never given the port that a server is about to take.
 */
const PORTS = { from: 10_000, below: 32_000 }

/** A port nobody listens on. With `--cluster-enabled` pass `--cluster-port` a second one. */
export async function freePort(): Promise<number> {
  const port = randomInt(PORTS.from, PORTS.below)
  return (await isFree(port)) ? port : freePort()
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

async function startProcess(
  port: number,
  folder: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const child = spawn('redis-server', [...own, '--appendonly', 'no', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
  }
  try {
    await Promise.race([answering(port), failing(child)])
  } catch (cause) {
    await end(child)
    throw new Error(`redis-server did not start on port ${port}:\n${said}`, { cause })
  }
  return child
}

async function failing(child: ChildProcess): Promise<never> {
  const [how] = await Promise.race([once(child, 'exit'), once(child, 'error')])
  throw how instanceof Error ? how : new Error(`redis-server ended (${String(how)})`)
}

async function answering(port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN
  while (!(await pong(port))) {
    if (Date.now() > deadline) throw new Error(`no answer within ${READY_WITHIN} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(500, () => done(false))
    socket.once('data', (data) => done(/^(\+PONG|-NOAUTH)/.test(data.toString())))
    socket.once('error', () => done(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('redis-server has no process id')
  return child.pid
}
