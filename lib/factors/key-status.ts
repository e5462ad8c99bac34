/** Ids of the keys of the ring, the current one's first. */
export type KeyIds = readonly string[]

/** The place of a thing's key in the ring. `unknown`: version 0.1.0 did not record the key. */
export type KeyStatus = 'current' | 'older' | 'gone' | 'unknown'

/**
 * The place of a key in the ring. A thing whose key is gone no longer works.
 *
 * @param keyId id of the key, or null where it was not noted
 */
export function keyStatusOf(keyId: string | null, keyIds: KeyIds): KeyStatus {
  if (keyId === null) return 'unknown'
  const at = keyIds.indexOf(keyId)
  if (at < 0) return 'gone'
  return at === 0 ? 'current' : 'older'
}

/** Whether nothing that depends on a key could be right, because the key is not in the ring. */
export function isKeyGone(keyId: string | null, keyIds: KeyIds): boolean {
  return keyStatusOf(keyId, keyIds) === 'gone'
}
