import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Session } from 'express-session'
import type { PendingLogin } from '../../domain/pending-login.js'
import { freshUntil, type Method, type Stamp, type StampOwner } from '../../domain/stamp.js'
import { type PendingStanding, setupDeadlineOf, type UserContext } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { amrOf } from '../../factors/factors.js'
import type { Account } from '../../service/accounts.js'
import type { PassportLogIn } from './passport.js'
import { RequestNotes } from './request-notes.js'
import type { Site } from './site.js'
import { noteBehind } from './wrapped-request.js'

/** A visitor who has passed the first step and not the second. There is no user beside it. */
export interface PendingVisitor extends UserContext {
  readonly kind: 'pending'
  readonly standing: Exclude<PendingStanding, 'over' | 'free'>
  readonly pending: PendingLogin
}

/** A visitor who is signed in, as far as record and policy ask for it. */
export interface SignedInVisitor extends UserContext {
  readonly kind: 'signed-in'
  readonly account: Account<Express.User>
  /** The account's id, as an admission has it. */
  readonly userId: string
  /** Null in a session older than the package, and for a login of one request. */
  readonly stamp: Stamp | null
  /** Signed in for this request alone, by an API key or the like. */
  readonly once?: true
  /** By what the guard had read a moment ago: not enough for anything but letting the request in. */
  readonly kept?: true
}

/** Whose first step a request rests on. */
export type CameWith = Pick<SignedInVisitor, 'account' | 'stamp'>

/** The sender of a request. `over`: a pending login that has ended but is still in the session. */
export type Visitor =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'over' }
  | PendingVisitor
  | SignedInVisitor

/** What the guard knows of a request. Kept in a private part of it, which no other code can read or set. */
export interface GuardState {
  /** The site of the guard. */
  readonly site: Site
  visitor: Visitor
  /** Passport's `req.logIn`, before the gate. */
  readonly logIn: PassportLogIn
  /** The guard itself, for users who come to the request after it. */
  readonly look: RequestHandler
  /**
   * Express's `next`, for errors that the host's callback throws, so that they do not end the
   * process.
   */
  readonly next: NextFunction
  /** Whether a path, as the browser asked for it, is one of signing in and out. */
  readonly isOpen: (path: string) => boolean
  /** When the guard checked, in milliseconds. */
  metAt: number
  /** Whether the body, if any, had already arrived when the guard checked. */
  readonly bodyWasThere: boolean
  /** A second step that the strategy has just seen passed and that no login has used yet. */
  passed: { readonly account: Account<Express.User>; readonly stamp: Stamp } | null
  /** A `req.logIn()` is under way. */
  loggingIn: boolean
  /**
   * The user that a strategy has found by what was sent with this request: what follows is a first
   * step.
   */
  found: Express.User | null
  /**
   * Who was let in on this request, with their stamps. A log-out and a new session id leave them here:
   * a login out of a session that was ended elsewhere meanwhile is none.
   */
  cameWith: readonly CameWith[]
  /** The last user that a strategy has found on this request, and what it said beside: Passport's `info`. */
  firstStep: { readonly user: Express.User; readonly info: unknown } | null
  /** `req.logIn()` was called on this request. */
  calledLogIn: boolean
  /** A user without a session whom the second step does not stop, seen before Passport. */
  cleared: { readonly account: Account<Express.User>; readonly userContext: UserContext } | null
  readonly res: Response
  /** Called when a login of this request has passed the first step, with who it was. */
  onFirstStep: ((account: Account) => void) | null
  /** The names that this request's password was counted for. Null where it was not counted. */
  countedNames: readonly string[] | null
  /** Called when a session of this request ends, for what it holds of a login. */
  readonly onSessionEnd: (req: Request, session: Session) => Promise<void>
  /** Ends a session at its store, in limited time. Where that fails, it is over in memory all the same. */
  readonly endAtStore: (req: Request, call: () => Promise<void>) => Promise<void>
  /** Identifies the visitor as the guard does, from what is read now. */
  readonly meetAnew: (req: Request) => Promise<Visitor>
}

const states = new RequestNotes<GuardState>()

export function knownGuardStateOf(req: Request): GuardState | undefined {
  return states.get(req)
}

/** @throws ConfigurationError where no guard has seen the request */
export function guardStateOf(req: Request): GuardState {
  const state = states.get(req)
  if (state !== undefined) return state
  throw noGuard()
}

/** @throws ConfigurationError where another site's guard has seen the request, or none */
export function guardStateAt(site: Site, req: Request): GuardState {
  const state = guardStateOf(req)
  // Not the sites themselves: an admin router may have one of its own, with another `allow`.
  if (state.site.sessions === site.sessions) return state
  throw new ConfigurationError(
    'parts of different createSecondStep() meet in one request: mount the guard(), routers and middleware of each ' +
      'where those of the other are not',
  )
}

function noGuard(): ConfigurationError {
  return new ConfigurationError(
    'guard() is missing: app.use(secondStep.guard()) right after app.use(passport.session()), before ' +
      'every route and everything else of the second step',
  )
}

/** The visitor, for whoever decides more than to let the request in. */
export async function presentVisitorOf(req: Request): Promise<Visitor> {
  const { visitor, meetAnew } = guardStateOf(req)
  return visitor.kind === 'signed-in' && visitor.kept === true ? meetAnew(req) : visitor
}

/** From now on, what the request does rests on this session. */
export function setSignedIn(state: GuardState, visitor: SignedInVisitor): void {
  state.visitor = visitor
  state.cameWith = [visitor]
  state.found = null
}

export function setGuardState(req: Request, state: GuardState): void {
  states.set(req, state)
  Object.defineProperty(req, 'secondStep', HELPER)
}

/** One for all requests, which are many. */
const HELPER: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  enumerable: true,
  get() {
    const state = noteBehind(states, this)
    if (state === undefined) throw noGuard()
    return helperOf(state.visitor, state.site.system.now())
  },
}

/** The type of `req.secondStep`, for hosts. */
export interface SecondStepOfRequest {
  readonly status: 'none' | 'code-required' | 'setup-required' | 'verified'
  /** How the second step was passed, or null. */
  readonly method: Method | null
  /**
   * RFC 8176 values for the `amr` of a token that the host issues: of the second step, and `mfa`; for
   * `upstream`, the provider's values that the host believes, and `mfa`. Empty where none
   * was passed. What the first step was is the host's to add.
   */
  readonly amr: readonly string[]
  /** When the second step was last passed, here or upstream, or null. In a token, `auth_time` is in seconds. */
  readonly authTime: Date | null
  /** Until when the last code counts as fresh, or null. */
  readonly freshUntil: Date | null
  /** The page that the user wanted before the pending login, or null. */
  readonly next: string | null
  /** Until when an authenticator must be set up, or null; `res.locals.secondStepBanner` says it. */
  readonly setupDeadline: Date | null
}

declare global {
  namespace Express {
    interface Request {
      /** The state of this request between the two steps. Set by `guard()`. */
      readonly secondStep?: SecondStepOfRequest
    }
  }
}

const NOTHING: SecondStepOfRequest = {
  status: 'none',
  method: null,
  amr: [],
  authTime: null,
  freshUntil: null,
  next: null,
  setupDeadline: null,
}

function helperOf(visitor: Visitor, now: number): SecondStepOfRequest {
  if (visitor.kind !== 'pending' && visitor.kind !== 'signed-in') return NOTHING
  const own = visitor.kind === 'signed-in' ? visitor.stamp : null
  const known = { ...NOTHING, setupDeadline: dateOrNull(setupDeadlineOf(visitor, now, own)) }
  if (visitor.kind === 'pending') {
    return { ...known, status: visitor.standing, next: visitor.pending.next }
  }
  const { stamp } = visitor
  if (stamp === null) return known
  if (stamp.method === 'none') return { ...known, method: 'none' }
  // Nothing was proved in this session: a host's token must not say so.
  if (stamp.method === 'trusted-browser') {
    return { ...known, status: 'verified', method: stamp.method }
  }
  const { method, at, amr = [] } = stamp
  const until = dateOrNull(freshUntil(stamp))
  const proof = { amr: methodsOf(method, amr), authTime: new Date(at), freshUntil: until }
  return { ...known, status: 'verified', method, ...proof }
}

/** @param believed of `upstream`: the provider's methods */
function methodsOf(
  method: Exclude<Method, 'none' | 'trusted-browser'>,
  believed: readonly string[],
): readonly string[] {
  const methods = method === 'upstream' ? believed : amrOf(method)
  return [...new Set([...methods, 'mfa'])]
}

/** Whose stamp a signed-in visitor's next one is: of the instance that has signed them in. */
export function ownerOf({ userId, stamp }: Pick<SignedInVisitor, 'userId' | 'stamp'>): StampOwner {
  // A session without a stamp is older than the package.
  return { userId, instance: stamp?.instance ?? 0 }
}

function dateOrNull(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
