import { hash } from 'node:crypto'
import { DAY_S } from '../domain/units.js'

// Above 2^31 ms (24.8 days), Node's timers fire at once, and the count would be lost.
const LONGEST_WINDOW = 24 * DAY_S

/** Hashed, because the counted value may be an address, a name or any input of a visitor. */
export function counterKey(key: string): string {
  return hash('sha256', key, 'base64url')
}

/** As `counterKey`, where upper and lower case may be the same. */
export function counterHash(key: string): string {
  return hash('sha256', key, 'hex')
}

/** @throws RangeError for a window that is no whole number of seconds from 1 s to 24 days */
export function checkWindow(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_WINDOW) return
  throw new RangeError(`a counter's window must be 1 to ${LONGEST_WINDOW} seconds, not ${seconds}`)
}
