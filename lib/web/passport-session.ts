import type { Request } from 'express'
import { UnavailableError } from '../errors/unavailable-error.js'
import { type Step, stepsWithin } from '../ports/steps-within.js'
import {
  keyInCharge,
  type LogInOptions,
  type PassportInstance,
  type PassportLogIn,
  serialise,
  serialiseInCharge,
  withSessionWork,
} from './passport.js'

const STORE = 'the session store'
const SERIALISER = "the host's serializeUser"

const LONGEST_CALL = 1000
// The old session's end, the host's serialiser, the new session's first save: an answer is due within 2 s.
const LONGEST = 1500

type Done = (error?: unknown) => void

/**
 * Runs Passport's own `logIn`, with the session work done here. Passport's goes on after whoever asked
 * has given up, on a request that was answered and has no session any more: it ends the process, or
 * signs in a user who was refused. Here nothing goes on once the time is over.
 *
 * @throws UnavailableError for the session store and for a serialiser that is silent; what the
 *   serialiser fails with
 */
export async function passportLogIn(
  req: Request,
  logIn: PassportLogIn,
  user: Express.User,
  options: LogInOptions,
): Promise<void> {
  await stepsWithin(LONGEST, (step) =>
    withSessionWork(req, { logIn: (one, given) => logInToSession(step, req, one, given) }, (done) =>
      logIn(user, options, done),
    ),
  )
}

/** Runs Passport's own `logOut`, likewise. */
export async function passportLogOut(
  req: Request,
  logOut: (options: LogInOptions, done: Done) => void,
  options: LogInOptions,
): Promise<void> {
  await stepsWithin(LONGEST, (step) =>
    withSessionWork(req, { logOut: (given) => logOutOfSession(step, req, given) }, (done) =>
      logOut(options, done),
    ),
  )
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
  return stepsWithin(LONGEST_CALL, (step) => step(SERIALISER, () => serialise(passport, user, req)))
}

/** As Passport 0.7 does it, but serialised first: a serialiser that fails costs nobody a session. */
async function logInToSession(
  step: Step,
  req: Request,
  user: unknown,
  { keepSessionInfo }: LogInOptions,
): Promise<void> {
  const serialised = await step(SERIALISER, () => serialiseInCharge(req, user))
  const before = req.session
  await step(STORE, () => stored((done) => req.session.regenerate(done)))
  if (keepSessionInfo === true) Object.assign(req.session, before)
  const key = keyInCharge(req)
  Reflect.set(req.session, key, {
    ...Object(Reflect.get(req.session, key) ?? {}),
    user: serialised,
  })
  await step(STORE, () => stored((done) => req.session.save(done)))
}

async function logOutOfSession(
  step: Step,
  req: Request,
  { keepSessionInfo }: LogInOptions,
): Promise<void> {
  const kept: unknown = Reflect.get(req.session, keyInCharge(req))
  if (typeof kept === 'object' && kept !== null) Reflect.deleteProperty(kept, 'user')
  const before = req.session
  await step(STORE, () => stored((done) => req.session.save(done)))
  await step(STORE, () => stored((done) => req.session.regenerate(done)))
  if (keepSessionInfo === true) Object.assign(req.session, before)
}

function stored(run: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(new UnavailableError(STORE, error)) : resolve()))
  })
}
