import type { Digester } from '../ports/digester.js'
import { withTimeout } from '../ports/with-timeout.js'

/**
 * The same digester, with the limit in time that every port has.
 *
 * @param timeout milliseconds that one call may take
 */
export function timedDigester(digester: Digester, timeout: number): Digester {
  return {
    keyIds: digester.keyIds,
    digests: (code, context) =>
      withTimeout('the key ring', () => digester.digests(code, context), timeout),
  }
}
