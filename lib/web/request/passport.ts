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

/**
 * The required shape of a Passport instance: `import passport from 'passport'` or `new Passport()`.
 */
export interface PassportInstance {
  serializeUser(...args: never[]): unknown
  deserializeUser(...args: never[]): unknown
}

/**
 * Passport's names that are not public (0.7). Only this file, deserialise-once.ts, in-charge.ts, watched-passport.ts
 * and watched-strategies.ts use them.
 */
interface PassportRequest {
  _userProperty?: string
  _sessionManager?: SessionManager
  _passport?: { readonly instance?: unknown }
}

export interface SessionManager {
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
export type PassportLogIn = (
  this: Request,
  user: Express.User,
  options: LogInOptions,
  done: Callback,
) => void

/** What `passport.authenticate` and hosts hand to `req.logIn`; Passport passes its own options on. */
export interface LogInOptions {
  readonly session?: boolean
  readonly keepSessionInfo?: boolean
  readonly secondStep?: boolean
  readonly successRedirect?: string
  readonly successReturnToOrRedirect?: string
}

export function passportOf(req: Request): PassportRequest {
  return req as unknown as PassportRequest
}

/** The user that Passport put on the request, under whatever property the host chose. */
export function userOf(req: Request): Express.User | undefined {
  return (Reflect.get(req, userProperty(req)) as Express.User | null | undefined) ?? undefined
}

/** Takes the user off the request. */
export function removeUser(req: Request): void {
  // An instance with a property of its own leaves the usual property to other instances.
  const others = usedProperties.get(req) ?? []
  for (const property of [userProperty(req), 'user', ...others]) removeProperty(req, property)
}

/**
 * An accessor of the host's, on the request or above it, survives a deletion and may still yield the user.
 *
 * @throws ConfigurationError where the user cannot be taken away
 */
function removeProperty(req: Request, property: string): void {
  Reflect.deleteProperty(req, property)
  if (isNothing(Reflect.get(req, property))) return
  Reflect.set(req, property, undefined)
  if (isNothing(Reflect.get(req, property))) return
  Reflect.defineProperty(req, property, { configurable: true, writable: true, value: undefined })
  if (isNothing(Reflect.get(req, property))) return
  throw new ConfigurationError(
    `the user cannot be taken off the request: \`req.${property}\` is an accessor of the app's. Let Passport keep ` +
      'its user in a plain property, or give it a name of its own: new Passport() with `userProperty`',
  )
}

function isNothing(user: unknown): boolean {
  return user === undefined || user === null
}

const usedProperties = new WeakMap<Request, readonly string[]>()

/** Remembers a property under which an instance has put a user, for when users are taken away. */
export function noteUserProperty(req: Request): void {
  const property = userProperty(req)
  // The usual property is emptied in any case.
  if (property === 'user') return
  const used = usedProperties.get(req) ?? []
  if (!used.includes(property)) usedProperties.set(req, [...used, property])
}

/** The property of the request under which the instance in charge puts its user. */
export function userProperty(req: Request): string {
  return passportOf(req)._userProperty ?? 'user'
}

/** The session keys under which the host's Passport instances keep their serialised users. */
export function passportKeys(
  req: Request,
  passports: readonly PassportInstance[],
): readonly string[] {
  const keys = [passportOf(req)._sessionManager?._key, ...passports.map(keyOf)]
  return [...new Set(keys.filter((key) => key !== undefined))]
}

/** The session key of an instance. */
export function keyOf(passport: PassportInstance): string | undefined {
  return Reflect.get(passport, '_key') as string | undefined
}

/** The user that the instance in charge has in the session, serialised, or undefined. */
export function serialisedUser(req: Request): unknown {
  return serialisedUnder(req, keyInCharge(req))
}

/** The user that is in the session under an instance's key, serialised, or undefined. */
export function serialisedUnder(req: Request, key: string): unknown {
  const kept: unknown = Reflect.get(req.session, key)
  return typeof kept === 'object' && kept !== null ? Reflect.get(kept, 'user') : undefined
}

/** Puts an instance in charge of the request, as its own middleware would. */
export function putInCharge(req: Request, passport: PassportInstance): void {
  passportOf(req)._sessionManager = Reflect.get(passport, '_sm') as SessionManager
}

/**
 * Puts the instance in charge that is in charge of an object which stands for the request. The request refuses one that
 * the host did not name.
 */
export function putSameInCharge(given: Request, req: Request): void {
  const { _sessionManager: manager } = passportOf(given)
  if (manager === undefined || manager === passportOf(req)._sessionManager) return
  passportOf(req)._sessionManager = manager
}

/** The session manager of the instance in charge. */
export function managerInCharge(req: Request): SessionManager | undefined {
  return passportOf(req)._sessionManager
}

/** Which of the host's Passport instances is in charge of the request, or null for an unknown one. */
function knownInCharge(
  req: Request,
  passports: readonly PassportInstance[],
): { readonly index: number; readonly passport: PassportInstance } | null {
  return instanceOf(passportOf(req)._sessionManager, passports)
}

/** Which of the host's Passport instances has this session manager, or null for an unknown one. */
export function instanceOf(
  manager: SessionManager | undefined,
  passports: readonly PassportInstance[],
): { readonly index: number; readonly passport: PassportInstance } | null {
  const index = passports.findIndex((known) => isManagerOf(known, manager))
  const passport = passports[index]
  return passport === undefined ? null : { index, passport }
}

/** Whether it is the instance's session manager, or one of ours in front of it for a while. */
export function isManagerOf(
  passport: PassportInstance,
  manager: SessionManager | undefined,
): boolean {
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

/** The instance whose `initialize()` was the last to run, or undefined if none has left its mark. */
export function initialisedBy(req: Request): unknown {
  return passportOf(req)._passport?.instance
}

export function unknownInstance(): ConfigurationError {
  return new ConfigurationError(
    'a Passport instance that createSecondStep() does not know is in charge of a request; ' +
      'name every instance of the app in the option `passports`',
  )
}

/** The session key of the instance in charge. */
export function keyInCharge(req: Request): string {
  return keyOfManager(passportOf(req)._sessionManager)
}

/** The session key of an instance, by its session manager. */
export function keyOfManager(manager: SessionManager | undefined): string {
  return manager?._key ?? 'passport'
}

/** Our replacement for Passport's session work at a log-in or log-out. */
export interface SessionWork {
  readonly logIn?: (user: unknown, options: LogInOptions) => Promise<void>
  readonly logOut?: (options: LogInOptions) => Promise<void>
}

/** The calls that are under way, by the session managers that stand in for the instance's meanwhile. */
const underWay = new WeakMap<SessionManager, string>()

function callOf({ logIn }: SessionWork): string {
  return logIn === undefined ? 'req.logout()' : 'req.logIn()'
}

/**
 * Makes Passport use our session work while it runs.
 *
 * @throws ConfigurationError where the host has not waited for an earlier call's
 */
export async function withSessionWork(
  req: Request,
  work: SessionWork,
  run: (done: Callback) => void,
): Promise<void> {
  const { logIn, logOut } = work
  const request = passportOf(req)
  const manager = request._sessionManager
  const earlier = manager && underWay.get(manager)
  if (earlier !== undefined) throw notAwaited(callOf(work), earlier)
  const ours: SessionManager | undefined = manager && Object.create(manager)
  if (ours !== undefined) underWay.set(ours, callOf(work))
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

function notAwaited(call: string, earlier: string): ConfigurationError {
  return new ConfigurationError(
    `${call} and ${earlier} ran at the same time on one request: wait for the callback of the first before you call ` +
      'the second',
  )
}
