// What a host writes in TypeScript that lets API tokens in: compiled, never run.

import passport from 'passport'
import type {} from 'passport-second-step'

passport.authenticate('bearer', { session: false, secondStep: false })

// @ts-expect-error: it is no switch to turn the second step on, and must not look like one.
passport.authenticate('bearer', { session: false, secondStep: true })

// @ts-expect-error: a misspelt one would ask for a second step that no token can pass.
passport.authenticate('bearer', { session: false, secondstep: false })

/** As a host's own login by a token does. */
export function byToken(
  req: Express.Request,
  user: Express.User,
  done: (error: unknown) => void,
): void {
  req.logIn(user, { session: false, secondStep: false }, done)
}
