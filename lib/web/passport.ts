import type { Request } from 'express'
import type {} from 'passport'
import { ConfigurationError } from '../errors/configuration-error.js'
import { within } from '../ports/within.js'

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
  _serializeUser?(user: unknown, req: Request, done: (error: unknown) => void): void
}

type Callback = (error?: unknown) => void

// Three calls: the old session's end, the host's serialiser, the new session's first save.
const LONGEST_LOGIN = 1500

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

/** Which of the host's Passport instances runs this login. */
export function instanceInCharge(
  req: Request,
  passports: readonly PassportInstance[],
): { readonly index: number; readonly passport: PassportInstance } {
  const manager = passportOf(req)._sessionManager
  const index = passports.findIndex(
    (known) => manager !== undefined && Reflect.get(known, '_sm') === manager,
  )
  const passport = passports[index]
  if (passport !== undefined) return { index, passport }
  throw new ConfigurationError(
    'a login ran on a Passport instance that createSecondStep() does not know; ' +
      'name every instance of the app in the option `passports`',
  )
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

/**
 * Runs Passport's own `logIn`. The host's serialiser may fail as it likes; any other failure is the
 * session store's.
 */
export async function passportLogIn(
  req: Request,
  logIn: PassportLogIn,
  user: Express.User,
  options: LogInOptions,
): Promise<void> {
  const serialiser = watchSerialiser(req)
  try {
    await within(
      'the session store',
      () =>
        new Promise<void>((resolve, reject) => {
          logIn(user, options, (error) => (error ? reject(error) : resolve()))
        }),
      LONGEST_LOGIN,
    )
  } catch (error) {
    const cause: unknown = Reflect.get(Object(error), 'cause')
    throw cause !== undefined && cause === serialiser.failure() ? cause : error
  } finally {
    serialiser.release()
  }
}

function watchSerialiser(req: Request) {
  const request = passportOf(req)
  const manager = request._sessionManager
  let failure: unknown
  if (manager?._serializeUser !== undefined) {
    const serialiseUser = manager._serializeUser.bind(manager)
    const watching: SessionManager = Object.create(manager)
    watching._serializeUser = (user, ofRequest, done) =>
      serialiseUser(user, ofRequest, (error: unknown, ...rest: []) => {
        failure = error ?? undefined
        done(error, ...rest)
      })
    request._sessionManager = watching
  }
  return {
    failure: () => failure,
    release: () => {
      if (manager !== undefined) request._sessionManager = manager
    },
  }
}
