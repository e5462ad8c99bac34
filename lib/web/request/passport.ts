import type { Request } from 'express'
import type {} from 'passport'
import { ConfigurationError } from '../../errors/configuration-error.js'

declare module 'passport' {
  interface LogInOptions {
    /**
     * `false`, with `session: false` only: the credential was itself issued after a second step.
     */
    secondStep?: false
  }
  interface AuthenticateOptions {
    /**
     * `false`, with `session: false` only: the credential was itself issued after a second step.
     */
    secondStep?: false
  }
}

/** What is needed of a Passport instance: `import passport from 'passport'` or `new Passport()`. */
export interface PassportInstance {
  serializeUser(...args: never[]): unknown
  deserializeUser(...args: never[]): unknown
}

/** The names of Passport's that are not public. This file alone knows them (passport 0.7). */
interface PassportRequest {
  _userProperty?: string
  _sessionManager?: SessionManager
}

interface SessionManager {
  readonly _key?: string
  _serializeUser?(
    user: unknown,
    req: Request,
    done: (error: unknown, serialised?: unknown) => void,
  ): void
  logIn?(req: Request, user: unknown, options: LogInOptions, done: Callback): void
  logOut?(req: Request, options: LogInOptions, done: Callback): void
}

type Callback = (error?: unknown) => void

/** Passport's `req.logIn`, as it was before the gate. */
export type PassportLogIn = (user: Express.User, options: LogInOptions, done: Callback) => void

/** What `passport.authenticate` and hosts hand to `req.logIn`; Passport passes its own options on. */
export interface LogInOptions {
  readonly session?: boolean
  readonly keepSessionInfo?: boolean
  readonly secondStep?: boolean
  readonly successRedirect?: string
  readonly successReturnToOrRedirect?: string
}

function passportOf(req: Request): PassportRequest {
  return req as unknown as PassportRequest
}

/** The user that Passport put on the request, under whatever property the host chose. */
export function userOf(req: Request): Express.User | undefined {
  return (Reflect.get(req, userProperty(req)) as Express.User | null | undefined) ?? undefined
}

/** Takes the user off the request. */
export function removeUser(req: Request): void {
  // Under a property of its own an instance leaves what another one put in the usual place.
  for (const property of [userProperty(req), 'user']) Reflect.deleteProperty(req, property)
}

function userProperty(req: Request): string {
  return passportOf(req)._userProperty ?? 'user'
}

/** The session keys under which the host's Passport instances keep their serialised users. */
export function passportKeys(
  req: Request,
  passports: readonly PassportInstance[],
): readonly string[] {
  const known = passports.map((passport) => Reflect.get(passport, '_key') as string | undefined)
  const keys = [passportOf(req)._sessionManager?._key, ...known]
  return [...new Set(keys.filter((key) => key !== undefined))]
}

/** The user that the instance in charge has in the session, serialised, or undefined. */
export function serialisedUser(req: Request): unknown {
  const kept: unknown = Reflect.get(
    req.session,
    passportOf(req)._sessionManager?._key ?? 'passport',
  )
  return typeof kept === 'object' && kept !== null ? Reflect.get(kept, 'user') : undefined
}

/** Puts an instance in charge of the request, as its own middleware would. */
export function putInCharge(req: Request, passport: PassportInstance): void {
  passportOf(req)._sessionManager = Reflect.get(passport, '_sm') as SessionManager
}

/** Which of the host's Passport instances is in charge of the request, or null for an unknown one. */
export function knownInCharge(
  req: Request,
  passports: readonly PassportInstance[],
): { readonly index: number; readonly passport: PassportInstance } | null {
  const manager = passportOf(req)._sessionManager
  const index = passports.findIndex((known) => isManagerOf(known, manager))
  const passport = passports[index]
  return passport === undefined ? null : { index, passport }
}

/** Whether it is the instance's session manager, or one of ours in front of it for a while. */
function isManagerOf(passport: PassportInstance, manager: SessionManager | undefined): boolean {
  const own: unknown = Reflect.get(passport, '_sm')
  return manager !== undefined && (manager === own || Object.getPrototypeOf(manager) === own)
}

/** Which of the host's Passport instances runs this login. */
export function instanceInCharge(
  req: Request,
  passports: readonly PassportInstance[],
): { readonly index: number; readonly passport: PassportInstance } {
  const known = knownInCharge(req, passports)
  if (known !== null) return known
  throw unknownInstance()
}

/**
 * @throws ConfigurationError where an instance that the host did not name has run on the request: its
 *   users would meet no second step
 */
export function requireKnownInstance(req: Request, passports: readonly PassportInstance[]): void {
  if (passportOf(req)._sessionManager === undefined) return
  if (knownInCharge(req, passports) === null) throw unknownInstance()
}

function unknownInstance(): ConfigurationError {
  return new ConfigurationError(
    'a Passport instance that createSecondStep() does not know is in charge of a request; ' +
      'name every instance of the app in the option `passports`',
  )
}

/** The places of the instances whose `session()` has signed a user in and no guard has met yet. */
const unmet = new WeakMap<Request, Map<string, string>>()

/**
 * Called by each guard.
 *
 * @throws ConfigurationError where another instance than the one in charge has signed a user in since
 *   the guard before: two `session()` in front of one guard
 */
export function meetSessions(req: Request): void {
  const places = unmet.get(req) ?? new Map()
  unmet.delete(req)
  places.delete(placeOf(keyInCharge(req), userProperty(req)))
  if (places.size === 0) return
  for (const property of places.values()) Reflect.deleteProperty(req, property)
  throw new ConfigurationError(
    'two Passport instances stand in front of one guard(), which can meet the users of the last one only: ' +
      'mount guard() after the session() of each',
  )
}

/** Where an instance keeps its user: under which key of the session, and which property of the request. */
function placeOf(key: string, property: string): string {
  return JSON.stringify([key, property])
}

/** The session key of the instance in charge. */
export function keyInCharge(req: Request): string {
  return passportOf(req)._sessionManager?._key ?? 'passport'
}

/** The user in the form that goes into a session. */
export function serialise(
  passport: PassportInstance,
  user: Express.User,
  req: Request,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const run = passport.serializeUser as unknown as SerialiseNow
    run.call(passport, user, req, (error, serialised) =>
      error ? reject(error) : resolve(serialised),
    )
  })
}

/** The user again, or undefined when the host says that there is none any more. */
export function deserialise(
  passport: PassportInstance,
  serialised: unknown,
  req: Request,
): Promise<Express.User | undefined> {
  return new Promise((resolve, reject) => {
    const run = passport.deserializeUser as unknown as SerialiseNow
    run.call(passport, serialised, req, (error, user) =>
      error ? reject(error) : resolve((user as Express.User | false | null) || undefined),
    )
  })
}

type SerialiseNow = (
  this: PassportInstance,
  value: unknown,
  req: Request,
  done: (error: unknown, result?: unknown) => void,
) => void

/** What Passport does with the session at a log-in or log-out, in our hands. */
export interface SessionWork {
  readonly logIn?: (user: unknown, options: LogInOptions) => Promise<void>
  readonly logOut?: (options: LogInOptions) => Promise<void>
}

/** Has Passport use our session work while it runs. */
export async function withSessionWork(
  req: Request,
  { logIn, logOut }: SessionWork,
  run: (done: Callback) => void,
): Promise<void> {
  const request = passportOf(req)
  const manager = request._sessionManager
  const ours: SessionManager | undefined = manager && Object.create(manager)
  if (ours !== undefined && logIn !== undefined) {
    ours.logIn = (_req, user, options, done) => void logIn(user, options).then(() => done(), done)
  }
  if (ours !== undefined && logOut !== undefined) {
    ours.logOut = (_req, options, done) => void logOut(options).then(() => done(), done)
  }
  if (ours !== undefined) request._sessionManager = ours
  try {
    await new Promise<void>((resolve, reject) => {
      run((error) => (error ? reject(error) : resolve()))
    })
  } finally {
    if (manager !== undefined && request._sessionManager === ours) request._sessionManager = manager
  }
}

/** The user in the form that the instance in charge keeps in a session. */
export function serialiseInCharge(req: Request, user: unknown): Promise<unknown> {
  const manager = passportOf(req)._sessionManager
  return new Promise((resolve, reject) => {
    if (manager?._serializeUser === undefined) throw unknownInstance()
    manager._serializeUser(user, req, (error, serialised) =>
      error ? reject(error) : resolve(serialised),
    )
  })
}

type StrategySuccess = (
  this: unknown,
  user: Express.User | false | undefined,
  info?: unknown,
) => unknown

/** A strategy at work on a request, as Passport has prepared it. */
interface StrategyAtWork {
  success: StrategySuccess
  pass: () => void
  authenticate(req: Request, options?: AuthenticateOptions): unknown
}

/** Options of `passport.authenticate()` that say what becomes of the user. */
export interface AuthenticateOptions extends LogInOptions {
  readonly assignProperty?: string
}

/** A strategy has found a user. Exactly one of the two is to be called, or the request answered. */
export interface StrategyFound {
  readonly req: Request
  readonly user: Express.User
  readonly options: AuthenticateOptions
  /** Goes on as Passport would: with the host's callback where it gave one, else with `req.logIn`. */
  readonly proceed: () => unknown
  /** Goes on with the next middleware, as if the strategy had not looked. */
  readonly pass: () => void
}

const watched = new WeakSet<PassportInstance>()

/**
 * Sees which users an instance's strategies find, before Passport does. Where the host gave a callback,
 * Passport hands the user to it and calls `req.logIn` never: nothing else would see them.
 */
export function watchStrategies(
  passport: PassportInstance,
  found: (strategy: StrategyFound) => unknown,
): void {
  const look: unknown = Reflect.get(passport, '_strategy')
  if (watched.has(passport) || typeof look !== 'function') return
  watched.add(passport)
  const authenticate: unknown = Reflect.get(passport, 'authenticate')
  if (typeof authenticate === 'function') {
    Reflect.set(passport, 'authenticate', (name: unknown, ...rest: unknown[]) => {
      const watch = (one: unknown) => (isStrategy(one) ? watchedStrategy(one, found) : one)
      const names = Array.isArray(name) ? name.map(watch) : watch(name)
      return authenticate.call(passport, names, ...rest)
    })
  }
  Reflect.set(passport, '_strategy', (name: string) => {
    const strategy: StrategyAtWork | undefined = look.call(passport, name)
    return strategy === undefined ? undefined : watchedStrategy(strategy, found)
  })
}

/** A strategy may be handed over itself, in place of the name that it was registered by. */
function isStrategy(value: unknown): value is StrategyAtWork {
  return typeof value === 'object' && value !== null && 'authenticate' in value
}

/**
 * Sees each Passport instance that runs on the request from now on.
 *
 * @throws ConfigurationError from within its middleware, for one that the host did not name: its
 *   callbacks would get users who have not passed the second step
 */
export function watchInstances(req: Request, passports: readonly PassportInstance[]): void {
  let manager = passportOf(req)._sessionManager
  Object.defineProperty(req, '_sessionManager', {
    configurable: true,
    enumerable: true,
    get: () => manager,
    set: (next: SessionManager | undefined) => {
      manager = next
      requireKnownInstance(req, passports)
    },
  })
}

/** `session()` passes, whether or not it has found somebody. */
function noteSession(strategy: StrategyAtWork, req: Request): void {
  const before = userOf(req)
  const pass = strategy.pass
  strategy.pass = () => {
    const key: unknown = Reflect.get(strategy, '_key')
    const signedIn = userOf(req) !== undefined && userOf(req) !== before
    if (signedIn && typeof key === 'string') {
      const property = userProperty(req)
      const places = unmet.get(req) ?? new Map<string, string>()
      unmet.set(req, places.set(placeOf(key, property), property))
    }
    pass.call(strategy)
  }
}

function watchedStrategy(
  strategy: StrategyAtWork,
  found: (strategy: StrategyFound) => unknown,
): StrategyAtWork {
  const watching: StrategyAtWork = Object.create(strategy)
  watching.authenticate = function (this: StrategyAtWork, req, options = {}) {
    if (Reflect.get(strategy, 'name') === 'session') noteSession(this, req)
    const succeed = this.success
    this.success = (user, info) => {
      const proceed = () => succeed.call(this, user, info)
      if (!user) return proceed()
      return found({ req, user, options, proceed, pass: () => this.pass() })
    }
    return strategy.authenticate.call(this, req, options)
  }
  return watching
}
