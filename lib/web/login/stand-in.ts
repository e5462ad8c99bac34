import type { Request } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import {
  type LogInOptions,
  putSameInCharge,
  removeUser,
  userOf,
  userProperty,
} from '../request/passport.js'
import { type GuardState, knownGuardStateOf } from '../request/visitor.js'
import { requestBehind } from '../request/wrapped-request.js'

/** The real request behind an object that Passport runs on as one. */
export type RealRequest =
  /** No guard has seen the request. */
  | { readonly kind: 'in-front' }
  | { readonly kind: 'guarded'; readonly req: Request; readonly state: GuardState }
  /** Nothing leads from it to a request, so nobody knows. */
  | { readonly kind: 'unknown' }

/**
 * The host may run Passport on an object that stands for the request: GraphQL's context `{ req, res }`, a proxy, a
 * copy. What is no request at all is never taken for one in front of the guard: anybody could sign in on it.
 */
export function realRequestOf(given: Request): RealRequest {
  const own = knownGuardStateOf(given)
  if (own !== undefined) return { kind: 'guarded', req: given, state: own }
  const req = requestBehind(given)
  if (req === undefined) return { kind: 'unknown' }
  const state = knownGuardStateOf(req)
  return state === undefined ? { kind: 'in-front' } : { kind: 'guarded', req, state }
}

export function noRequest(what: string): ConfigurationError {
  return new ConfigurationError(
    `${what} ran on an object instead of the request, which cannot be found there, so nobody knows whether guard() has ` +
      'seen it. Pass the request itself, or an object that has it as `req`',
  )
}

export function pastTheGate(): ConfigurationError {
  return new ConfigurationError(
    'req.logIn() ran on an object instead of the request, past the gate: call it on the request itself',
  )
}

type Done = (error?: unknown) => unknown

/** Passport has given the object a `logIn` of its own, which knows no gate. From now on it has the request's. */
export function lendGate(given: Request, req: Request): void {
  if (given === req) return
  // Through a proxy, what is set here is set on the request.
  const gate = req.logIn.bind(req) as (
    user: Express.User,
    options: LogInOptions,
    done: Done | undefined,
  ) => void
  const lent = (user: Express.User, options: LogInOptions | Done, callback?: Done): void => {
    const [with_, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback]
    putSameInCharge(given, req)
    const called = (error: unknown) => {
      if (!error) Reflect.set(given, userProperty(given), userOf(req))
      return done?.(error)
    }
    // The gate says what is wrong where there is no callback.
    gate(user, with_, typeof done === 'function' ? called : done)
  }
  for (const name of ['logIn', 'login']) {
    if (!Reflect.set(given, name, lent)) throw noRequest('a login')
  }
}

/** Has the guard meet a user whom a `session()` has put on the object, on the request itself. */
export function meetOnRequest(
  given: Request,
  { req, state }: { readonly req: Request; readonly state: GuardState },
  next: Done,
): void {
  const user = userOf(given)
  if (given !== req && userOf(req) !== user) {
    removeUser(given)
    putSameInCharge(given, req)
    Reflect.set(req, userProperty(req), user)
  }
  state.look(req, state.res, (error?: unknown) => {
    if (given !== req) Reflect.set(given, userProperty(given), userOf(req))
    next(error)
  })
}
