import type { Counters } from '../ports/counters.js'

/** Separates the counters of realms: one name can be different accounts in two user tables. */
export function realmCounters(counters: Counters, realm: string): Counters {
  return { counter: (name, seconds) => counters.counter(`${realm}:${name}`, seconds) }
}
