import { ConfigurationError } from '../../errors/configuration-error.js'
import type { LogInOptions } from '../request/passport.js'

/** As Passport reads it: 0, null and the like mean no session, and undefined means one. */
export function isWithoutSession({ session }: { readonly session?: unknown }): boolean {
  return session !== undefined && !session
}

/** @throws ConfigurationError */
export function checkLogInOptions(options: LogInOptions): void {
  const secondStep: unknown = options.secondStep
  if (secondStep !== undefined && typeof secondStep !== 'boolean') {
    throw new ConfigurationError(
      `\`secondStep\` must be false or left out, and is ${secondStep === null ? 'null' : `a ${typeof secondStep}`}`,
    )
  }
  if (options.secondStep === false && !isWithoutSession(options)) {
    throw new ConfigurationError(
      '`secondStep: false` is for credentials without a session: add `session: false`',
    )
  }
}
