import type { Request } from 'express'
import { noteArrival, noteSession } from './before-guard.js'
import { deserialiseOnce, hasDeserialiser } from './deserialise-once.js'
import { following } from './in-charge.js'
import { type PassportInstance, userOf } from './passport.js'
import type { AuthenticateOptions, CallbackMethod, Watching } from './watching.js'
import { warnWithoutGuard } from './without-guard.js'

const CALLBACK_METHODS: readonly CallbackMethod[] = ['authenticate', 'authorize']

/** A strategy at work on a request, as Passport has prepared it. */
interface StrategyAtWork {
  readonly name?: string
  success(user: Express.User | false | null | undefined, info?: unknown): unknown
  pass(): void
  error(error: unknown): void
  authenticate(req: Request, options?: AuthenticateOptions): unknown
}

/** Watches what strategies find: those that an instance has by name, and those that a host passes itself. */
export function watchStrategies(passport: PassportInstance, watching: Watching): void {
  watchStrategyObjects(passport, watching)
  const look: unknown = Reflect.get(passport, '_strategy')
  if (typeof look !== 'function') return
  const made = new Map<string, { strategy: StrategyAtWork; atWork: StrategyAtWork }>()
  Reflect.set(passport, '_strategy', (name: string) => {
    const strategy: StrategyAtWork | undefined = look.call(passport, name)
    if (strategy === undefined) return undefined
    const last = made.get(name)
    // Passport makes an object that inherits from it at every request, so it stays the same.
    if (last?.strategy === strategy) return last.atWork
    const atWork = watchedOf(name, strategy, watching)
    made.set(name, { strategy, atWork })
    return atWork
  })
}

function watchedOf(name: string, strategy: StrategyAtWork, watching: Watching): StrategyAtWork {
  return name === 'session' || isSessionStrategy(strategy)
    ? watchedSession(name, strategy, watching)
    : watchedStrategy(name, strategy, watching)
}

/** The host may pass a strategy itself instead of its registered name. */
function watchStrategyObjects(passport: PassportInstance, watching: Watching): void {
  const watch = (one: unknown) => {
    if (!isStrategy(one)) return one
    return ofEachRequest(watchedOf(nameOf(one), one, watching))
  }
  for (const method of CALLBACK_METHODS) {
    const original: unknown = Reflect.get(passport, method)
    if (typeof original !== 'function') continue
    Reflect.set(passport, method, (name: unknown, ...given: unknown[]) => {
      const names = Array.isArray(name) ? name.map(watch) : watch(name)
      return following(original.call(passport, names, ...noteCallback(method, given)))
    })
  }
}

const ACTIONS = ['success', 'fail', 'redirect', 'pass', 'error'] as const

/**
 * Passport prepares an object itself for a request, where it makes one that inherits from a named strategy. Of two
 * requests at the same time, the first would end with the actions of the second: its user on the other request.
 */
function ofEachRequest(strategy: StrategyAtWork): StrategyAtWork {
  const shared: StrategyAtWork = Object.create(strategy)
  shared.authenticate = function (this: StrategyAtWork, req, options) {
    const own: StrategyAtWork = Object.create(strategy)
    for (const action of ACTIONS) Reflect.set(own, action, Reflect.get(this, action))
    return own.authenticate(req, options)
  }
  return shared
}

/** In the options of a middleware whose callback gets the user: the method that made it. */
const CALLS_BACK = Symbol('calls back')

/**
 * Passport's arguments, with a note for the strategy, which sees the options but not the callback.
 */
function noteCallback(
  method: CallbackMethod,
  [options, callback]: readonly unknown[],
): readonly unknown[] {
  if (typeof options === 'function') return [{ [CALLS_BACK]: method }, options]
  if (typeof callback !== 'function') return [options]
  return [{ ...Object(options ?? {}), [CALLS_BACK]: method }, callback]
}

function callbackMethodOf(options: AuthenticateOptions): CallbackMethod | null {
  const noted: unknown = Reflect.get(options, CALLS_BACK)
  return CALLBACK_METHODS.find((method) => method === noted) ?? null
}

function nameOf(strategy: StrategyAtWork): string {
  return strategy.name ?? 'a strategy'
}

function isStrategy(value: unknown): value is StrategyAtWork {
  return typeof value === 'object' && value !== null && 'authenticate' in value
}

/** Passport's own, under whatever name: an app may use it for other keys of the session. */
function isSessionStrategy(strategy: StrategyAtWork): boolean {
  return typeof keyOfStrategy(strategy) === 'string' && hasDeserialiser(strategy)
}

function keyOfStrategy(strategy: StrategyAtWork): unknown {
  return Reflect.get(strategy, '_key')
}

/**
 * A convention: a strategy that notes `passReqToCallback` gives its verify function what was sent, and the
 * request where that is set. Others have code of their own that reads the request.
 */
function seesRequest(strategy: StrategyAtWork): boolean {
  const noted = '_passReqToCallback'
  return !(noted in strategy) || Boolean(Reflect.get(strategy, noted))
}

function watchedStrategy(
  name: string,
  strategy: StrategyAtWork,
  watching: Watching,
): StrategyAtWork {
  const atWork: StrategyAtWork = Object.create(strategy)
  atWork.authenticate = function (this: StrategyAtWork, req, options = {}) {
    watchPass(this, req, watching, (user) => noteArrival(req, user))
    watchSuccess(this, { name, strategy, req, options }, watching)
    return strategy.authenticate.call(this, req, options)
  }
  return atWork
}

/** What a strategy has been called with. */
interface Call {
  readonly name: string
  /** The host's own, of which the one at work is made. */
  readonly strategy: StrategyAtWork
  readonly req: Request
  readonly options: AuthenticateOptions
}

/** A strategy signs a user in. */
function watchSuccess(atWork: StrategyAtWork, call: Call, watching: Watching): void {
  const { name, strategy, req, options } = call
  const succeed = atWork.success
  atWork.success = (user, info) => {
    const proceed = () => succeed.call(atWork, user, info)
    if (!user) return proceed()
    warnWithoutGuard(watching, options)
    const [pass, fail] = [() => atWork.pass(), (error: unknown) => atWork.error(error)]
    const callsBackFrom = callbackMethodOf(options)
    return watching.watcher.found({
      req,
      strategy: name,
      user,
      info,
      seesRequest: seesRequest(strategy),
      options,
      callsBackFrom,
      guarded: watching.guarded,
      proceed,
      pass,
      fail,
    })
  }
}

/** A strategy may put a user on the request itself, as `session()` does, and pass: nobody logs in then. */
function watchPass(
  atWork: StrategyAtWork,
  req: Request,
  watching: Watching,
  note: (user: Express.User) => void,
): void {
  const before = userOf(req)
  const { pass } = atWork
  atWork.pass = () => {
    const user = userOf(req)
    if (user === undefined || user === before) return pass.call(atWork)
    note(user)
    const next = (error: unknown) => (error ? atWork.error(error) : pass.call(atWork))
    watching.watcher.session(req, next, watching.guarded)
  }
}

/** Passport's own passes. One that is made of it, or has its name, may sign users in as well. */
function watchedSession(
  name: string,
  strategy: StrategyAtWork,
  watching: Watching,
): StrategyAtWork {
  const atWork: StrategyAtWork = Object.create(strategy)
  deserialiseOnce(atWork, () => watching.watcher.timeout)
  atWork.authenticate = function (this: StrategyAtWork, req, options = {}) {
    const missing = req.session ? null : watching.watcher.whyNoSession()
    if (missing !== null) return this.error(missing)
    watchPass(this, req, watching, (user) => {
      // What is under another key, no login of the instance puts there, and no log-out takes away.
      const key = watching.key()
      if (keyOfStrategy(strategy) === key) noteSession(req, key, user)
      else noteArrival(req, user)
    })
    watchSuccess(this, { name, strategy, req, options }, watching)
    return strategy.authenticate.call(this, req, options)
  }
  return atWork
}
