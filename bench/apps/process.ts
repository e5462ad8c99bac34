import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { countCommands } from '../measure/commands.js'
import { isAppName, loadApp } from './index.js'
import type { Question, Questions, Settings } from './settings.js'

// The process of one app: listens, and answers the parent's questions. Ends with the parent.

// tsx switches this on; it would make errors, which some apps throw as answers, dear.
process.setSourceMapsEnabled(false)

const [, , name = ''] = process.argv
if (!isAppName(name)) throw new Error(`there is no app ${name}`)
const settings = JSON.parse(process.env.BENCH_SETTINGS ?? '{}') as Settings

/** While the process ends. */
const never = () => new Promise<never>(() => undefined)

let ahead = 0
const { now } = Date
Date.now = () => now() + ahead

const { app, redis } = await (await loadApp(name))(settings).catch((error: unknown) => {
  process.send?.({ failed: String(error) }, () => process.exit(1))
  return never()
})
const counter = countCommands(redis)
const delays = monitorEventLoopDelay({ resolution: 1 })
const server = createServer((req, res) => {
  res.once('finish', () => counter.responded())
  app(req, res)
})
// The parent's connections stay open while other apps are measured.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const ANSWERS: { [Q in Question]: (by: number) => Questions[Q] | Promise<Questions[Q]> } = {
  cpu() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  heap() {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  },
  advance(by) {
    ahead += by
    return null
  },
  'count-commands'() {
    counter.start()
    return null
  },
  counted: () => counter.stop(),
  'watch-loop'() {
    delays.reset()
    delays.enable()
    return null
  },
  'longest-block'() {
    delays.disable()
    return delays.max / 1e6
  },
}

process.on('message', async (message: { id: number; question: Question; by: number }) => {
  const answer = await ANSWERS[message.question](message.by)
  process.send?.({ id: message.id, answer })
})
process.on('disconnect', () => process.exit())
process.send?.({ port: (server.address() as AddressInfo).port })
