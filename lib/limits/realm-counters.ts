import type { Counters } from '../ports/counters.js'

/** Counters of a realm's own: an account's name at one table of users may be somebody else's at another. */
export function realmCounters(counters: Counters, realm: string): Counters {
  return { counter: (name, seconds) => counters.counter(`${realm}:${name}`, seconds) }
}
