import type { Counter, Counters } from '../ports/counters.js'
import { within } from '../ports/with-timeout.js'

const PART = 'the attempt counters'

/**
 * The same counters, with the limit in time that every port has. Whoever counts is given these.
 *
 * @param timeout milliseconds that one call may take
 */
export function timedCounters(counters: Counters, timeout: number): Counters {
  const { takeAll } = counters
  return {
    counter: (name, seconds) => timed(counters.counter(name, seconds), timeout),
    ...(takeAll && {
      takeAll: (wanted, back) => within(PART, () => takeAll.call(counters, wanted, back), timeout),
    }),
  }
}

function timed(counter: Counter, timeout: number): Counter {
  return {
    take: (key, limit) => within(PART, () => counter.take(key, limit), timeout),
    giveBack: (key) => within(PART, () => counter.giveBack(key), timeout),
    taken: (key) => within(PART, () => counter.taken(key), timeout),
  }
}
