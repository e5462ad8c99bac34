import type { Store } from 'express-session'
import { ConfigurationError } from '../../errors/configuration-error.js'

/**
 * connect-redis 9 and later call the client as the package `redis` expects. With ioredis every
 * `set` fails, so nobody could sign in. This looks at the arguments that the store passes to the
 * client, because no version number is available.
 *
 * @throws ConfigurationError
 */
export function checkSessionStore(store: Store | undefined): void {
  const { client, disableTTL } = Object(store) as { client?: unknown; disableTTL?: unknown }
  const isIoredis = typeof Reflect.get(Object(client), 'defineCommand') === 'function'
  if (!isIoredis || disableTTL === true || typeof store?.set !== 'function') return
  if (!/\bexpiration\b/.test(Function.prototype.toString.call(store.set))) return
  throw new ConfigurationError(
    'the session store is connect-redis 9 or later, which does not work with ioredis (its first set fails with ' +
      '"ERR syntax error"): install connect-redis@^8.1, or give it a client of the package `redis`',
  )
}
