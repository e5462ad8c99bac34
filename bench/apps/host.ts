import { RedisStore } from 'connect-redis'
import express, { type Express, type Request } from 'express'
import session from 'express-session'
import { Redis } from 'ioredis'
import { type LogInOptions, Passport } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import type { Settings } from './settings.js'

export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: readonly string[]
}

/** An app that listens, and what its process watches of it. */
export interface BenchApp {
  readonly app: Express
  /** The one connection to Redis; null where the app has another way. */
  readonly redis: Redis | null
}

export type MakeApp = (settings: Settings) => Promise<BenchApp>

/** What every app but better-auth is built on: Express, express-session, Passport, one Redis. */
export interface Host {
  readonly app: Express
  readonly passport: InstanceType<typeof Passport>
  readonly redis: Redis
}

export function userOf(id: string): User {
  const roles = id.startsWith('admin') ? ['admin'] : ['user']
  return { id, email: `${id}@example.test`, name: `Name of ${id}`, roles }
}

/**
 * The host without a second step. The password is only compared, so that the time of a password
 * hash, the same everywhere, hides nothing.
 */
export async function makeHost(settings: Settings): Promise<Host> {
  const host = await makeBareHost(settings)
  mountSessions(host)
  return host
}

/** The same, before its sessions are mounted. */
export async function makeBareHost(settings: Settings): Promise<Host> {
  const redis = new Redis(settings.redisUrl, {
    commandTimeout: 20_000,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
  })
  await redis.connect()
  const [app, passport] = [express(), new Passport()]
  passport.serializeUser((user, done) => done(null, (user as User).id))
  passport.deserializeUser((id, done) => done(null, userOf(String(id))))
  passport.use(
    new LocalStrategy((username, password, done) =>
      done(null, password === `password of ${username}` ? userOf(username) : false),
    ),
  )
  return { app, passport, redis }
}

export function mountSessions({ app, passport, redis }: Host): void {
  app.use(
    session({
      secret: 'bench',
      resave: false,
      saveUninitialized: false,
      store: new RedisStore({ client: redis }),
    }),
    passport.session(),
  )
}

/** Express's body parser as hosts mount it: on the routes that need it. */
export const json = express.json()

export function idOf(req: Request): string {
  return (req.user as User).id
}

/** The routes that every app has: a public page, one for users, and the password step. */
export function addRoutes({ app, passport }: Host): void {
  app.get('/', (_req, res) => res.json({ page: 'public' }))
  app.get('/inside', (req, res) => {
    if (!req.isAuthenticated()) return res.status(401).json({ status: 'not-signed-in' })
    return res.json({ user: { id: idOf(req) } })
  })
  app.post('/login', json, passport.authenticate('local'), (_req, res) =>
    res.json({ status: 'signed-in' }),
  )
}

type LogIn = (user: Express.User, options: LogInOptions, done: LoggedIn) => void
type LoggedIn = (error?: unknown) => void

/** Has every `req.logIn()` of the app meet this first, as a gate does. */
export function onLogIn(
  { app }: Host,
  meet: (logIn: LogIn, req: Request, user: User, options: LogInOptions, done: LoggedIn) => void,
): void {
  app.use((req, _res, next) => {
    const logIn: LogIn = req.logIn
    const gated: LogIn = (user, options, done) => meet(logIn, req, user as User, options, done)
    // Passport's strategies call it with all three.
    req.logIn = req.login = gated as typeof req.logIn
    next()
  })
}
