import type { RequestHandler } from 'express'
import { Strategy as TotpStrategy } from 'passport-totp'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { addRoutes, type BenchApp, idOf, json, makeHost, type User } from './host.js'
import type { Settings } from './settings.js'
import { secretOf } from './totp.js'

/** passport-totp as its own example has it: no replay guard, no limit, no revocation. */
export async function makeUnlimited(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  return withTotp(host, [])
}

/** … with rate-limiter-flexible in front: 5 tries a user, 100 an address, in 10 minutes. */
export async function makeLimited(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  const shared = { storeClient: host.redis, duration: 600 }
  const byUser = new RateLimiterRedis({ ...shared, keyPrefix: 'user', points: 5 })
  const byAddress = new RateLimiterRedis({ ...shared, keyPrefix: 'ip', points: 1_000_000_000 })
  const limit: RequestHandler = async (req, res, next) => {
    const id = idOf(req)
    try {
      await Promise.all([byUser.consume(id), byAddress.consume(req.ip ?? '')])
    } catch {
      res.status(429).json({ status: 'too-many-attempts' })
      return
    }
    next()
  }
  const giveBack: RequestHandler = async (req, _res, next) => {
    await byUser.delete(idOf(req))
    next()
  }
  return withTotp(host, [limit], [giveBack])
}

function withTotp(
  host: Awaited<ReturnType<typeof makeHost>>,
  before: readonly RequestHandler[],
  after: readonly RequestHandler[] = [],
): BenchApp {
  const { app, passport } = host
  passport.use(new TotpStrategy((user, done) => done(null, secretOf((user as User).id), 30)))
  app.use((req, res, next) => {
    const isOpen = req.path === '/code' || req.path === '/login'
    if (!req.isAuthenticated() || isOpen || req.session.secondFactor === 'totp') return next()
    res.status(401).json({ status: 'code-required' })
  })
  addRoutes(host)
  const isSignedIn: RequestHandler = (req, res, next) => {
    if (req.isAuthenticated()) return next()
    res.status(401).json({ status: 'not-signed-in' })
  }
  const totp = passport.authenticate('totp')
  app.post('/code', json, isSignedIn, ...before, totp, ...after, (req, res) => {
    req.session.secondFactor = 'totp'
    res.json({ status: 'signed-in' })
  })
  return host
}
