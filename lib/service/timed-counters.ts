import type { Counter, Counters } from '../ports/counters.js'
import { withTimeout } from '../ports/with-timeout.js'

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
      takeAll: (wanted, back) =>
        withTimeout(PART, () => takeAll.call(counters, wanted, back), timeout),
    }),
  }
}

function timed(counter: Counter, timeout: number): Counter {
  return {
    take: (key, limit) => withTimeout(PART, () => counter.take(key, limit), timeout),
    giveBack: (key) => withTimeout(PART, () => counter.giveBack(key), timeout),
    taken: (key) => withTimeout(PART, () => counter.taken(key), timeout),
  }
}
