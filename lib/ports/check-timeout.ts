import { ConfigurationError } from '../errors/configuration-error.js'
import { DEFAULT_TIMEOUT } from './with-timeout.js'

const SHORTEST = 50
const LONGEST = 30_000

/**
 * Checks an option `timeout`. A limit of a few milliseconds would refuse everybody, and with one of
 * minutes requests would pile up behind a part that hangs.
 *
 * @param path what stands before the name in messages, such as `knexStore.`
 * @returns milliseconds that one call may take
 * @throws ConfigurationError naming the option and what it may be
 */
export function checkTimeout(timeout: unknown = DEFAULT_TIMEOUT, path = ''): number {
  const right = typeof timeout === 'number' && Number.isInteger(timeout)
  if (right && timeout >= SHORTEST && timeout <= LONGEST) return timeout
  throw new ConfigurationError(
    `\`${path}timeout\` must be a whole number of milliseconds, ${SHORTEST} to ${LONGEST}: ${DEFAULT_TIMEOUT}, say`,
  )
}
