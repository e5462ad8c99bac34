import type { Counters, Place } from '../ports/counters.js'

/** Separates the counters of realms: one name can be different accounts in two user tables. */
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
