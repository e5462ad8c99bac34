import { checkNames } from '../errors/check-names.js'
import { check } from './check.js'

const SHORTEST = 100
const LONGEST = 60_000
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/**
 * Less than that saves no reads, and after more a revoked session would be a surprise.
 *
 * @returns milliseconds for which the guard may go by what it has read, or null: it reads at every request
 * @throws ConfigurationError
 */
export function checkRevocation(revocation: unknown): number | null {
  if (revocation === undefined) return null
  check(
    typeof revocation === 'object' && revocation !== null,
    "`revocation` must be an object: { within: '1s' }. Leave it out, and the guard reads at every request",
  )
  checkNames(revocation, ['within'], 'revocation.')
  const within = millisecondsOf(Reflect.get(revocation, 'within'))
  check(
    within !== null && within >= SHORTEST && within <= LONGEST,
    "`revocation.within` must be a time from '100ms' to '60s': a text such as '1s', or a whole number of milliseconds",
  )
  return within
}

function millisecondsOf(time: unknown): number | null {
  if (typeof time === 'number') return Number.isInteger(time) ? time : null
  if (typeof time !== 'string') return null
  const [, count, unit = ''] = /^(\d{1,5})(ms|s|m)$/.exec(time) ?? []
  return count === undefined ? null : Number(count) * (UNITS[unit] ?? Number.NaN)
}
