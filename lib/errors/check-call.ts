import { checkNames } from './check-names.js'
import { ConfigurationError } from './configuration-error.js'

/**
 * Refuses what one of our functions was called with by mistake, and names of options that it has not.
 *
 * @param given its options
 * @param call the function's name, such as `guard`
 * @throws ConfigurationError naming the function or the option, and the fix
 */
export function checkCall(given: unknown, known: readonly string[], call: string): void {
  refuseRequest(given, call)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(
      `${call}() takes an object of options, such as { ${known[0]}: … }; known are ${known.join(', ')}`,
    )
  }
  checkNames(given, known, `${call}.`)
}

/**
 * As `checkCall`, where there is nothing to choose.
 *
 * @param given what stands behind the parameters that there are
 * @param call as it must be written, such as `knexStore(db)`
 */
export function checkNoOptions(given: readonly unknown[], call: string): void {
  const [name = call] = call.split('(')
  for (const one of given) {
    refuseRequest(one, name)
    if (one !== undefined) throw new ConfigurationError(`${call} takes no options: leave them out`)
  }
}

/**
 * `app.get('/', secondStep.requireSignedIn, …)` would hang for whoever is signed in: nobody calls `next`.
 *
 * @param more what was given beside the request
 * @throws ConfigurationError
 */
export function checkNoMiddleware(more: readonly unknown[]): void {
  if (more.length === 0) return
  throw new ConfigurationError(
    'requireSignedIn(req) is no middleware, but for upgrades to a socket: a route asks req.isAuthenticated(), or has ' +
      'requireFresh() in front',
  )
}

/** `app.use(secondStep.guard)` hands every request to what makes the middleware, and none goes on. */
function refuseRequest(given: unknown, name: string): void {
  const { headers, socket } = Object(given) as { headers?: unknown; socket?: unknown }
  if (headers === undefined || socket === undefined) return
  throw new ConfigurationError(
    `${name}() was given a request: call it where you mount it, app.use(secondStep.${name}())`,
  )
}
