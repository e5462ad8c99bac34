import { randomBytes } from 'node:crypto'
import express, { type Express, type RequestHandler } from 'express'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import {
  createSecondStep,
  type RecordStore,
  type SecondStep,
  type SecondStepOptions,
} from '../../lib/index.js'
import { type MovedSystem, movedSystem } from './clock.js'
import { storeForTests } from './store-for-tests.js'

/** A user of the host's. */
export interface HostUser {
  readonly id: string
  readonly name: string
  readonly password: string
  readonly email?: string
  readonly roles?: readonly string[]
  readonly createdAt?: number
}

export const ann: HostUser = { id: 'ann', name: 'Ann', password: 'ann-password' }
export const bob: HostUser = { id: 'bob', name: 'Bob', password: 'bob-password' }

/** What a test may change about its host. */
export interface HostOptions {
  readonly users?: readonly HostUser[]
  readonly options?: Partial<SecondStepOptions<HostUser>>
  readonly guard?: Parameters<SecondStep['guard']>[0]
  readonly passport?: InstanceType<typeof Passport>
  readonly passports?: readonly InstanceType<typeof Passport>[]
  /** Between `passport.session()` and the guard. */
  readonly beforeGuard?: (host: HostParts) => void
  /** Between the guard and the package's routers. */
  readonly mountFirst?: ((host: HostParts) => void) | undefined
  /** Right after the package's user router, where nothing has read a body yet. */
  readonly mount?: ((host: HostParts) => void) | undefined
  /** The host's own routes, after the package's. */
  readonly routes?: ((host: HostParts) => void) | undefined
  readonly initialize?: RequestHandler
  readonly cookie?: session.CookieOptions
  /** In place of `Host.sessions`. */
  readonly sessionStore?: session.Store
  readonly system?: MovedSystem
}

/** What a host is made of. */
export interface HostParts {
  readonly app: Express
  readonly passport: InstanceType<typeof Passport>
  readonly secondStep: SecondStep<HostUser>
}

/** A small app with a password login that has the package mounted as the README says. */
export interface Host extends HostParts {
  readonly store: RecordStore
  readonly sessions: MemoryStore
  readonly system: MovedSystem
}

const SESSIONS = { secret: 'test', resave: false, saveUninitialized: false }

export function makeHost(given: HostOptions = {}): Host {
  const { users = [ann, bob], passport = new Passport() } = given
  const [app, sessions] = [express(), new MemoryStore()]
  const system = given.system ?? movedSystem()
  const store = given.options?.store ?? storeForTests()
  const secondStep = createSecondStep<HostUser>({
    issuer: 'Acme',
    origin: 'http://127.0.0.1',
    keys: [randomBytes(32).toString('base64')],
    passports: given.passports ?? [passport],
    system,
    ...given.options,
    store,
  })
  const parts = { app, passport, secondStep }

  teach(passport, users)
  const cookie = given.cookie ?? {}
  app.use(session({ ...SESSIONS, store: given.sessionStore ?? sessions, cookie }))
  if (given.initialize !== undefined) app.use(given.initialize)
  app.use(passport.session())
  given.beforeGuard?.(parts)
  app.use(secondStep.guard(given.guard))
  given.mountFirst?.(parts)
  app.use('/second-step', secondStep.router())
  given.mount?.(parts)
  app.use(express.json(), express.urlencoded({ extended: true }))
  mountHostRoutes(parts)
  given.routes?.(parts)
  app.use(secondStep.errorHandler())
  return { ...parts, store, sessions, system }
}

/** A local strategy and (de)serialisers by id. */
function teach(passport: InstanceType<typeof Passport>, users: readonly HostUser[]): void {
  passport.use(
    new LocalStrategy((name, password, done) => {
      done(null, users.find((user) => user.id === name && user.password === password) ?? false)
    }),
  )
  passport.serializeUser((user, done) => done(null, (user as HostUser).id))
  passport.deserializeUser((id, done) => done(null, users.find((user) => user.id === id) ?? false))
}

function mountHostRoutes({ app, passport }: HostParts): void {
  app.post('/login', passport.authenticate('local', { successRedirect: '/inside' }))
  app.post('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.json({ status: 'signed-out' })))
  })
  app.get('/inside', (req, res) => {
    const user = req.user as HostUser | undefined
    if (req.isAuthenticated()) res.json({ user: user?.id, status: req.secondStep?.status })
    else res.status(401).json({ user: user?.id ?? null })
  })
}
