// Run by plain node in a process of its own: what a package adds to an app that has Express and ioredis.
// node start-up.mjs nothing|ours|better-auth

import 'express'
import { Redis } from 'ioredis'

const redis = new Redis({ lazyConnect: true })

const WAYS = {
  nothing: async () => undefined,
  async ours() {
    const { createSecondStep, redisStore } = await import('../../dist/index.js')
    const { Passport } = await import('passport')
    const secondStep = createSecondStep({
      issuer: 'Bench',
      origin: 'https://bench.example',
      keys: ['A7Vn5oCBnNsYLz0MzhWJQyGAcmPSVS/t0rJ0PpWk8iA='],
      store: redisStore(redis),
      redis,
      passports: [new Passport()],
    })
    secondStep.guard()
    secondStep.router()
  },
  async 'better-auth'() {
    const { betterAuth } = await import('better-auth')
    const { toNodeHandler } = await import('better-auth/node')
    const { twoFactor } = await import('better-auth/plugins')
    const { memoryAdapter } = await import('better-auth/adapters/memory')
    const tables = ['user', 'session', 'account', 'verification', 'twoFactor']
    const auth = betterAuth({
      baseURL: 'https://bench.example',
      secret: 'A7Vn5oCBnNsYLz0MzhWJQyGAcmPSVS/t0rJ0PpWk8iA=',
      telemetry: { enabled: false },
      database: memoryAdapter(Object.fromEntries(tables.map((name) => [name, []]))),
      emailAndPassword: { enabled: true },
      plugins: [twoFactor()],
    })
    toNodeHandler(auth)
    await auth.$context
  },
}

const before = { at: performance.now(), cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }
await WAYS[process.argv[2]]()
const milliseconds = performance.now() - before.at
const bytes = process.memoryUsage.rss() - before.rss
const { user, system } = process.cpuUsage(before.cpu)
const taken = { milliseconds, cpu: (user + system) / 1000, bytes }
process.stdout.write(JSON.stringify(taken), () => process.exit())
