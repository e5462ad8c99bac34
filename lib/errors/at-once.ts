import { ConfigurationError } from './configuration-error.js'

/**
 * Refuses an `async` function where nobody waits for a promise, as far as it is recognisable.
 *
 * @param name of the option
 * @throws ConfigurationError
 */
export function refuseAsync(name: string, given: unknown): void {
  const kind = Object.prototype.toString.call(given)
  if (kind === '[object AsyncFunction]') throw new ConfigurationError(messageOf(name))
}

/**
 * What such a function has answered.
 *
 * @throws ConfigurationError for a promise
 */
export function answeredAtOnce<T>(name: string, answer: T): T {
  if (typeof Reflect.get(Object(answer), 'then') !== 'function') return answer
  // Refused either way. A rejection of the promise must not end the process.
  Promise.resolve(answer).catch(() => undefined)
  throw new ConfigurationError(messageOf(name))
}

function messageOf(name: string): string {
  return (
    `\`${name}\` must answer at once, and not with a promise: leave out \`async\`, and load what it ` +
    'needs before, with the user or in a middleware'
  )
}
