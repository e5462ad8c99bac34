import { randomBytes } from 'node:crypto'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { twoFactor } from 'better-auth/plugins'
import express from 'express'
import { Redis } from 'ioredis'
import { SqliteDialect } from 'kysely'
import Database from 'libsql'
import type { BenchApp } from './host.js'
import type { Settings } from './settings.js'

/**
 * better-auth with its two-factor plugin: users in an SQLite of the process's own, which no network
 * slows down, sessions in the same Redis as everybody's. Its limits by address are off, since all
 * requests come from one; the password hash is as cheap as everybody's here.
 */
export async function makeApp(settings: Settings): Promise<BenchApp> {
  const redis = new Redis(settings.redisUrl, { lazyConnect: true })
  await redis.connect()
  const options = {
    appName: 'Bench',
    baseURL: 'http://127.0.0.1',
    secret: randomBytes(32).toString('base64'),
    trustedOrigins: ['http://127.0.0.1'],
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { level: 'error' },
    database: {
      dialect: new SqliteDialect({ database: new Database(':memory:') }),
      type: 'sqlite',
    },
    secondaryStorage: {
      get: (key: string) => redis.get(key),
      getAndDelete: (key: string) => redis.getdel(key),
      async increment(key: string, ttl: number) {
        const [[, count] = []] = (await redis.multi().incr(key).expire(key, ttl, 'NX').exec()) ?? []
        return Number(count)
      },
      async set(key: string, value: string, ttl?: number) {
        if (ttl === undefined) await redis.set(key, value)
        else await redis.set(key, value, 'EX', Math.max(1, Math.floor(ttl)))
      },
      async delete(key: string) {
        await redis.del(key)
      },
    },
    emailAndPassword: {
      enabled: true,
      password: {
        hash: async (password: string) => password,
        verify: async ({ hash, password }: { hash: string; password: string }) => hash === password,
      },
    },
    plugins: [twoFactor({ issuer: 'Bench' })],
  } satisfies BetterAuthOptions
  const auth = betterAuth(options)
  await (await getMigrations(options)).runMigrations()
  const app = express()
  app.all('/api/auth/{*any}', toNodeHandler(auth))
  app.get('/', (_req, res) => res.json({ page: 'public' }))
  app.get('/inside', async (req, res) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
    if (found === null) return res.status(401).json({ status: 'not-signed-in' })
    return res.json({ user: { id: found.user.email.split('@', 1)[0] } })
  })
  return { app, redis }
}
