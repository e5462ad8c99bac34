/** Ids of the keys of the ring, the current one's first. */
export type KeyIds = readonly string[]

/** Where the key is that something was made under. `unknown`: version 0.1.0 has not noted it. */
export type KeyPlace = 'current' | 'older' | 'gone' | 'unknown'

/**
 * What was made under a key that is gone from the ring no longer works.
 *
 * @param keyId id of the key, or null where it was not noted
 */
export function keyPlaceOf(keyId: string | null, keyIds: KeyIds): KeyPlace {
  if (keyId === null) return 'unknown'
  const at = keyIds.indexOf(keyId)
  if (at < 0) return 'gone'
  return at === 0 ? 'current' : 'older'
}
