import type { Request } from 'express'
import type { LogInOptions } from './passport.js'
import type { Guarding } from './without-guard.js'

/** Options of `passport.authenticate()` that say what becomes of the user. */
export interface AuthenticateOptions extends LogInOptions {
  readonly assignProperty?: string
}

/** The methods of Passport's whose callback gets the user. */
export type CallbackMethod = 'authenticate' | 'authorize'

/** A strategy has found a user. Exactly one of the three is to be called, or the request answered. */
export interface FoundUser {
  readonly req: Request
  /** The strategy's name. */
  readonly strategy: string
  readonly user: Express.User
  /** What the strategy says beside: Passport's `info`. */
  readonly info: unknown
  /** Whether its code got the request: the user may be the one of the session, whatever was sent. */
  readonly seesRequest: boolean
  readonly options: AuthenticateOptions
  /**
   * The method of Passport's that the host gave a callback, which gets the user. Null without one, and for
   * middleware older than the guard's maker.
   */
  readonly callsBackFrom: CallbackMethod | null
  /** Whether the instance has a guard. */
  readonly guarded: boolean
  /** Goes on as Passport would: with the host's callback where it gave one, else with `req.logIn`. */
  readonly proceed: () => unknown
  /** Goes on with the next middleware, as if the strategy had not looked. */
  readonly pass: () => void
  /** Goes on with an error, in the host's callback where it gave one. */
  readonly fail: (error: unknown) => void
}

/** The listener to an instance's strategies. */
export interface Watcher {
  /** Milliseconds that one call of the host's may take. */
  readonly timeout: number
  /** @returns a promise where the host's callback makes one */
  found(found: FoundUser): unknown
  /**
   * A `session()` has put a user on the request; `next` is what comes after it.
   *
   * @param guarded whether the instance has a guard
   */
  session(req: Request, next: (error?: unknown) => void, guarded: boolean): void
  /** Why Passport's own `logIn` may not run on the request of a guarded instance, or null. */
  logIn(req: Request): Error | null
  /**
   * The reason why a request has no session, if known. Passport would say that the host forgot the
   * middleware.
   */
  whyNoSession(): Error | null
}

/** An instance that is watched, and who listens. */
export interface Watching extends Guarding {
  watcher: Watcher
  /** The instance's key in the session. */
  readonly key: () => string
}
