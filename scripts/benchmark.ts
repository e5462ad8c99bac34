// What the second step costs: Redis commands and round trips of one request, and requests per second
// as a ratio to the same app without the package, in one run. Prints a table; judges nothing.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RedisStore } from 'connect-redis'
import express, { type Express } from 'express'
import session from 'express-session'
import { Redis } from 'ioredis'
import { Passport } from 'passport'
import { createSecondStep, redisStore } from '../lib/index.js'
import { system } from '../lib/ports/system.js'
import { virtualAuthenticator } from '../lib/testing/index.js'
import { startRedisServer } from '../test/support/redis-server.js'

const PARALLEL = 16
const REQUESTS = 4000
const ROUNDS = 5

/** Counts what goes to Redis: commands, and how many of them had to wait for an earlier answer. */
function watch(redis: Redis) {
  const seen = { commands: [] as string[], roundTrips: 0 }
  let underWay = 0
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    if (underWay === 0) seen.roundTrips += 1
    underWay += 1
    seen.commands.push(command.name)
    command.promise.then(
      () => {
        underWay -= 1
      },
      () => {
        underWay -= 1
      },
    )
    return send(command, stream)
  }
  return seen
}

function makeApp(redis: Redis, withSecondStep: boolean, clock: { ahead: number }): Express {
  const [app, passport] = [express(), new Passport()]
  passport.serializeUser((user, done) => done(null, Reflect.get(user, 'id')))
  passport.deserializeUser((id, done) => done(null, { id }))
  app.use(
    session({
      secret: 'benchmark',
      resave: false,
      saveUninitialized: false,
      store: new RedisStore({ client: redis, prefix: withSecondStep ? 'a:' : 'b:' }),
    }),
    passport.session(),
  )
  if (withSecondStep) {
    const secondStep = createSecondStep({
      issuer: 'Benchmark',
      origin: 'http://127.0.0.1',
      keys: [randomBytes(32).toString('base64')],
      store: redisStore(redis),
      redis,
      passports: [passport],
      ipLimit: () => 1_000_000_000,
      system: { ...system, now: () => system.now() + clock.ahead },
    })
    app.use(secondStep.guard())
    app.use('/second-step', secondStep.router())
  }
  app.post('/login/:id', (req, res, next) => {
    req.logIn({ id: req.params.id }, (error) => (error ? next(error) : res.json({})))
  })
  app.get('/inside', (req, res) => res.json({ user: req.user }))
  return app
}

interface Answer {
  readonly status: number
  readonly cookie: string
  readonly body: Record<string, string>
}

const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL })

function ask(port: number, method: string, path: string, cookie = '', code = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = code === '' ? '' : JSON.stringify({ code })
    const headers = {
      accept: 'application/json',
      cookie,
      ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
    }
    const asked = request({ agent, host: '127.0.0.1', port, method, path, headers }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        const set = res.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? cookie
        const text = Buffer.concat(chunks).toString()
        const parsed = text.startsWith('{') ? JSON.parse(text) : {}
        resolve({ status: res.statusCode ?? 0, cookie: set, body: parsed })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Runs a request many times, some at once. @returns requests per second */
async function speed(run: (nth: number) => Promise<Answer>, times: number): Promise<number> {
  const began = process.hrtime.bigint()
  let nth = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (nth < times) {
        nth += 1
        const { status } = await run(nth - 1)
        if (status !== 200) throw new Error(`a request of the benchmark got ${status}`)
      }
    }),
  )
  return times / (Number(process.hrtime.bigint() - began) / 1e9)
}

async function listen(app: Express): Promise<{ server: Server; port: number }> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function row(name: string, ...values: readonly (string | number)[]): void {
  console.log(name.padEnd(34), ...values.map((value) => String(value).padStart(12)))
}

const server = await startRedisServer()
const redis = new Redis(server.url, {
  commandTimeout: 1000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  lazyConnect: true,
})
await redis.connect()
const clock = { ahead: 0 }
const [guarded, plain] = [
  await listen(makeApp(redis, true, clock)),
  await listen(makeApp(redis, false, clock)),
]

/** Sets a second step up. @returns the cookie, and what makes the user's codes */
async function enrol(id: string) {
  const { cookie } = await ask(guarded.port, 'POST', `/login/${id}`)
  const shown = await ask(guarded.port, 'GET', '/second-step/setup', cookie)
  const authenticator = virtualAuthenticator(shown.body.uri ?? '')
  const code = () => authenticator.code(system.now() + clock.ahead)
  const done = await ask(guarded.port, 'POST', '/second-step/setup', shown.cookie, code())
  if (done.status !== 200) throw new Error(`a set-up got ${done.status}`)
  return { cookie: done.cookie, code }
}

/** Two logins in two steps are 30 seconds apart: the clock is put on, not waited for. */
async function pendingLogin(id: string): Promise<string> {
  return (await ask(guarded.port, 'POST', `/login/${id}`)).cookie
}

try {
  const inside = await enrol('user-0')
  const plainCookie = (await ask(plain.port, 'POST', '/login/user-0')).cookie
  clock.ahead += 30_000
  const pending = await pendingLogin('user-0')

  row('', 'commands', 'round trips')
  const requests: [string, () => Promise<Answer>][] = [
    ['GET without the package', () => ask(plain.port, 'GET', '/inside', plainCookie)],
    ['guarded GET', () => ask(guarded.port, 'GET', '/inside', inside.cookie)],
    [
      'second-step POST',
      () => ask(guarded.port, 'POST', '/second-step/challenge', pending, inside.code()),
    ],
    ['login without the package', () => ask(plain.port, 'POST', '/login/user-1')],
  ]
  const seen = watch(redis)
  for (const [name, run] of requests) {
    seen.commands.length = 0
    seen.roundTrips = 0
    const { status } = await run()
    if (status !== 200) throw new Error(`${name} got ${status}`)
    row(name, seen.commands.length, seen.roundTrips, `  ${seen.commands.join(' ')}`)
  }

  const users = await Promise.all(
    Array.from({ length: 200 }, (_, nth) => enrol(`user-of-many-${nth}`)),
  )
  row('', 'guarded /s', 'plain /s', 'ratio')
  const gets: number[] = []
  const posts: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const withIt = await speed(() => ask(guarded.port, 'GET', '/inside', inside.cookie), REQUESTS)
    const without = await speed(() => ask(plain.port, 'GET', '/inside', plainCookie), REQUESTS)
    gets.push(withIt / without)
    row(
      `GET, round ${round + 1}`,
      Math.round(withIt),
      Math.round(without),
      gets.at(-1)?.toFixed(2) ?? '',
    )

    clock.ahead += 30_000
    const cookies = await Promise.all(users.map((_, nth) => pendingLogin(`user-of-many-${nth}`)))
    const steps = await speed(
      (nth) =>
        ask(guarded.port, 'POST', '/second-step/challenge', cookies[nth], users[nth]?.code()),
      users.length,
    )
    const logins = await speed((nth) => ask(plain.port, 'POST', `/login/user-${nth}`), users.length)
    posts.push(steps / logins)
    row(
      `POST, round ${round + 1}`,
      Math.round(steps),
      Math.round(logins),
      posts.at(-1)?.toFixed(2) ?? '',
    )
  }
  row('median ratio, guarded GET : GET', median(gets).toFixed(2))
  row('median ratio, code : plain login', median(posts).toFixed(2))
} finally {
  guarded.server.close()
  plain.server.close()
  agent.destroy()
  await redis.quit()
  await server.stop()
}
