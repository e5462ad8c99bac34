import { ConfigurationError } from '../../errors/configuration-error.js'
import type { LogInOptions } from '../request/passport.js'

/** @throws ConfigurationError */
export function checkLogInOptions(options: LogInOptions): void {
  if (options.secondStep === false && options.session !== false) {
    throw new ConfigurationError(
      '`secondStep: false` is for credentials without a session: add `session: false`',
    )
  }
}
