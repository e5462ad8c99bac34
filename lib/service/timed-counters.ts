import { UnavailableError } from '../errors/unavailable-error.js'
import type { Counter, Counters } from '../ports/counters.js'
import { inTime } from '../ports/time-limit.js'
import { withTimeout } from '../ports/with-timeout.js'

const PART = 'the attempt counters'

/** What one attempt takes and gives back, call after call, in the time of one. */
export function countedInTime<T>(counting: Promise<T>, timeout: number): Promise<T> {
  return inTime(counting, timeout, (silence) => new UnavailableError(PART, silence))
}

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
