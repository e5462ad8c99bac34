import type { LogInOptions } from './passport.js'

/** Whether a Passport instance has a guard, and whether it was said that it has none. */
export interface Guarding {
  guarded: boolean
  warned: boolean
}

/**
 * Warns once of a login where nobody has called `guard()`. Everything else looks right then: the pages
 * answer, and users set up a second step that no login asks for.
 */
export function warnWithoutGuard(guarding: Guarding, options: LogInOptions | undefined): void {
  if (guarding.guarded || guarding.warned) return
  // The credential was issued after a second step, maybe in a process that has the guard.
  if (options?.secondStep === false) return
  guarding.warned = true
  process.emitWarning(
    'passport-second-step: a user has signed in, and guard() was never called: no code is asked for. ' +
      'Add app.use(secondStep.guard()) right after app.use(passport.session())',
  )
}
