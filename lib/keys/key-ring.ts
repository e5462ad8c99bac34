import type { Digester } from '../ports/digester.js'
import type { Sealer } from '../ports/sealer.js'
import { type System, system } from '../ports/system.js'
import { readKeys } from './read-keys.js'
import { ringDigester } from './ring-digester.js'
import { ringKey } from './ring-key.js'
import { ringSealer } from './ring-sealer.js'

export { EXAMPLE_KEY } from './read-keys.js'

/**
 * Seals secrets and digests codes under the host's keys. The first key is the current one; older
 * ones still open what they sealed. To change the key, put a new one in front.
 *
 * @param keys base64 (standard or URL-safe) of 32 random bytes each
 * @throws ConfigurationError for a key that is missing, of another length or not random
 */
export function keyRing(
  keys: readonly (string | undefined)[],
  { random }: Pick<System, 'random'> = system,
): { sealer: Sealer; digester: Digester } {
  const [current, ...older] = readKeys(keys)
  const ring = [ringKey(current), ...older.map(ringKey)] as const
  return { sealer: ringSealer(ring, { random }), digester: ringDigester(ring) }
}
