import { type Check, count, oneOf, orNull, text } from '../checks.js'

type Checks = Readonly<Record<string, Check>>

/** The checks of what a set-up in progress keeps, whatever moves its codes on. */
export function unprovenChecks(type: 'totp' | 'hotp'): Checks {
  return {
    type: oneOf(type),
    algorithm: oneOf('sha1', 'sha256', 'sha512'),
    digits: oneOf(6, 7, 8),
    secret: text,
  }
}

/** The checks of a bound authenticator, likewise. */
export function boundChecks(type: 'totp' | 'hotp'): Checks {
  return {
    ...unprovenChecks(type),
    id: text,
    name: orNull(text),
    since: count,
    lastUsedAt: orNull(count),
    serial: orNull(text),
  }
}
