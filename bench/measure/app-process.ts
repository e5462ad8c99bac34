import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AppName } from '../apps/index.js'
import type { Question, Questions, Settings } from '../apps/settings.js'
import { HttpClient } from './http-client.js'

const ENTRY = fileURLToPath(new URL('../apps/process.ts', import.meta.url))

/** An app in a process of its own, so that its CPU time is measured apart. */
export interface AppProcess {
  readonly name: AppName
  readonly port: number
  readonly client: HttpClient
  ask<Q extends Question>(question: Q, by?: number): Promise<Questions[Q]>
  stop(): Promise<void>
}

/** @throws Error where the process does not come up; its cause is what the app threw */
export async function startApp(
  name: AppName,
  settings: Settings,
  parallel: number,
): Promise<AppProcess> {
  const child = fork(ENTRY, [name], {
    env: { ...process.env, NODE_ENV: 'production', BENCH_SETTINGS: JSON.stringify(settings) },
    execArgv: [...process.execArgv, '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const port = await portOf(child).catch((cause: unknown) => {
    throw new Error(`the app "${name}" did not start`, { cause })
  })
  const client = new HttpClient(port, parallel)
  const waiting = new Map<number, (answer: never) => void>()
  child.on('message', (message: { id: number; answer: never }) => {
    waiting.get(message.id)?.(message.answer)
    waiting.delete(message.id)
  })
  let last = 0
  return {
    name,
    port,
    client,
    ask(question, by = 0) {
      last += 1
      const id = last
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve as (answer: never) => void)
        child.send({ id, question, by }, (error) => {
          if (error !== null) reject(new Error(`the app "${name}" has ended`))
        })
      })
    },
    async stop() {
      client.close()
      if (child.exitCode !== null) return
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const told = once(child, 'message') as Promise<[{ port: number } | { failed: string }]>
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with ${code}`)
  })
  const [first] = await Promise.race([told, ended])
  if ('failed' in first) throw new Error(first.failed)
  return first.port
}
