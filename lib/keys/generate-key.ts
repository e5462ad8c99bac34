import type { System } from '../ports/system.js'

/** A fresh key for the option `keys`: base64 of 32 random bytes. */
export function generateKey(system: Pick<System, 'random'>): string {
  return Buffer.from(system.random(32)).toString('base64')
}
