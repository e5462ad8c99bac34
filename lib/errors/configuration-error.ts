/** In the registry of the process, so that every copy of this package has the same mark. */
const MARK = Symbol.for('passport-second-step.ConfigurationError')

/**
 * A programmer's mistake: a wrong option or a wrong place in the middleware chain. Thrown at
 * start-up where it can be seen then, else by the first request that shows it. The message names
 * the option or the line and the fix.
 */
export class ConfigurationError extends Error {
  // The build shortens the names of classes; whoever prints an error shows its class.
  static override readonly name: string = 'ConfigurationError'
  override readonly name = 'ConfigurationError'

  // On the prototype, so that no log shows it.
  static {
    Object.defineProperty(ConfigurationError.prototype, MARK, { value: true })
  }
}

/**
 * Whether an error is a `ConfigurationError`, also one of another copy of this package, such as the
 * app's beside the one that `npx` runs. Its name proves nothing: hosts have errors of this name.
 */
export function isConfigurationError(error: unknown): error is ConfigurationError {
  return error instanceof Error && Reflect.get(error, MARK) === true
}
