import type { Counters, Place } from '../ports/counters.js'

/**
 * Separates the counters of apps by the prefix of their records, and of realms: one name can be different accounts in
 * two user tables. A realm has no braces, so the two are never mistaken for each other.
 */
export function prefixCounters(counters: Counters, prefix: string): Counters {
  return realmCounters(counters, `{${prefix}}`)
}

export function realmCounters(counters: Counters, realm: string): Counters {
  const nameOf = (name: string) => `${realm}:${name}`
  const inRealm = <P extends Place>(places: readonly P[]): readonly P[] =>
    places.map((place) => ({ ...place, name: nameOf(place.name) }))
  const { takeAll } = counters
  return {
    counter: (name, seconds) => counters.counter(nameOf(name), seconds),
    ...(takeAll && {
      takeAll: (wanted, back) => takeAll.call(counters, inRealm(wanted), inRealm(back)),
    }),
  }
}
