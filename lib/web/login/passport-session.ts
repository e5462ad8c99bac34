import type { Request } from 'express'
import { AnsweredError } from '../../errors/answered-error.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import { type Step, stepsWithin } from '../../ports/steps-within.js'
import {
  keyInCharge,
  type LogInOptions,
  type PassportInstance,
  type PassportLogIn,
  withSessionWork,
} from '../request/passport.js'
import { replacedNow } from '../request/replaced-session.js'
import { serialise, serialiseInCharge } from '../request/serialise.js'
import { detachSession, regeneratedNow, savedNow } from '../request/session.js'
import { guardStateOf } from '../request/visitor.js'

const STORE = 'the session store'
const END_OLD = 'the end of the login before'
const SERIALISER = "the host's serializeUser"

// The host's serialiser, the old session's end and the new session's first save have less time together
// than each for itself: at the default an answer is due within 2 s.
const CALLS_OF_A_LOGIN = 1.5

type Done = (error?: unknown) => void

/** How a user is logged in. */
export interface LogInWith {
  readonly options: LogInOptions
  /** The keys of the new session besides the user. */
  readonly contents: ReadonlyArray<readonly [key: string, value: unknown]>
  /** Ends in the record what the old session held. If it fails, the old session stays. */
  readonly endOld?: (() => Promise<void>) | undefined
}

/**
 * Runs Passport's own `logIn`, but does the session work here. Passport's own session work
 * continues after the caller has given up, on a request that was answered and has no session any
 * more. It can then end the process, or sign in a user who was refused. Here nothing continues
 * after the time is over.
 *
 * @throws UnavailableError for the session store and for a serialiser that is silent; what the
 *   serialiser fails with; an AnsweredError
 */
export async function passportLogIn(
  req: Request,
  logIn: PassportLogIn,
  user: Express.User,
  { options, ...session }: LogInWith,
): Promise<void> {
  await worked(req, (step) => {
    const ours = (one: unknown) => logInToSession(step, req, one, session)
    return withSessionWork(req, { logIn: ours }, (done) => logIn.call(req, user, options, done))
  })
  refuseAnswered(req)
}

/** Runs Passport's own `logOut`, likewise. */
export async function passportLogOut(
  req: Request,
  logOut: (this: Request, options: LogInOptions, done: Done) => void,
  options: LogInOptions,
): Promise<void> {
  await worked(req, (step) => {
    const ours = (given: LogInOptions) => logOutOfSession(step, req, given)
    return withSessionWork(req, { logOut: ours }, (done) => logOut.call(req, options, done))
  })
}

/**
 * The user in the form that goes into a pending login.
 *
 * @throws UnavailableError for a serialiser that is silent; what it fails with
 */
export function serialisedUserOf(
  passport: PassportInstance,
  user: Express.User,
  req: Request,
): Promise<unknown> {
  const { timeout } = guardStateOf(req).site
  return stepsWithin(timeout, (step) => step(SERIALISER, () => serialise(passport, user, req)))
}

/**
 * The host may have answered already, by its own time-out. After that, no callback of a login may
 * have an effect.
 *
 * @throws AnsweredError, which is the host's to log
 */
export function refuseAnswered(req: Request): void {
  if (req.res?.headersSent === true) throw new AnsweredError()
}

/** Runs the steps. If they fail after a step of the store began, releases the session. */
async function worked(req: Request, run: (step: Step) => Promise<void>): Promise<void> {
  let atStore = false
  const watched =
    (step: Step): Step =>
    (part, call) => {
      atStore ||= part === STORE
      return step(part, call)
    }
  const timeout = CALLS_OF_A_LOGIN * guardStateOf(req).site.timeout
  const work = () => stepsWithin(timeout, (step) => run(watched(step)))
  await work().catch((error: unknown) => {
    if (atStore) detachSession(req)
    throw error
  })
}

/**
 * As in Passport 0.7, but serialises first, so that a failing serialiser does not cost the old
 * session.
 */
async function logInToSession(
  step: Step,
  req: Request,
  user: unknown,
  { contents, endOld }: Omit<LogInWith, 'options'>,
): Promise<void> {
  const serialised = await step(SERIALISER, () => serialiseInCharge(req, user))
  refuseAnswered(req)
  if (endOld !== undefined) {
    await step(END_OLD, endOld)
    refuseAnswered(req)
  }
  const fill = () => {
    for (const [key, value] of contents) Reflect.set(req.session, key, value)
    Reflect.set(req.session, keyInCharge(req), { user: serialised })
  }
  await step(STORE, () => asStore(replacedNow(req, fill)))
}

async function logOutOfSession(
  step: Step,
  req: Request,
  { keepSessionInfo }: LogInOptions,
): Promise<void> {
  // The host has destroyed the session, so nobody is signed in.
  if (!req.session) return
  const kept: unknown = Reflect.get(req.session, keyInCharge(req))
  if (typeof kept === 'object' && kept !== null) Reflect.deleteProperty(kept, 'user')
  const before = req.session
  await step(STORE, () => asStore(savedNow(req)))
  await step(STORE, () => asStore(regeneratedNow(req)))
  if (keepSessionInfo === true) Object.assign(req.session, before)
}

function asStore(work: Promise<void>): Promise<void> {
  return work.catch((error: unknown) => {
    throw error instanceof UnavailableError ? error : new UnavailableError(STORE, error)
  })
}
