import type { Request } from 'express'
import { managerInCharge, type PassportInstance, unknownInstance } from './passport.js'

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

/** The user in the form that the instance in charge keeps in a session. */
export function serialiseInCharge(req: Request, user: unknown): Promise<unknown> {
  const manager = managerInCharge(req)
  return new Promise((resolve, reject) => {
    if (manager?._serializeUser === undefined) throw unknownInstance()
    manager._serializeUser(user, req, (error, serialised) =>
      error ? reject(error) : resolve(serialised),
    )
  })
}
