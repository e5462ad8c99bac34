/**
 * A programmer's mistake: a wrong option or a wrong place in the middleware chain. Thrown at
 * start-up where it can be seen then, else by the first request that shows it. The message names
 * the option or the line and the fix.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}
