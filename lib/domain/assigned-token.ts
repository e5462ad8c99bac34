import type { Authenticator } from '../factors/factors.js'
import { afterFarMisses, FAR_MISSES_AT_MOST, neverFar, usesFar } from '../factors/hotp/far.js'
import { missesOfMonth } from './attempts.js'
import { hasNoRoom } from './authenticators.js'
import type { Decision } from './decision.js'
import { namedDetail } from './event.js'
import { lockEventsOfChange } from './lock-event.js'
import { capsOf, withAuthenticators } from './miss-budget.js'
import type { SecondStepRecord } from './record.js'
import { serialKey } from './serial-claim.js'
import { raiseEpoch } from './stamp.js'
import type { UserContext } from './standing.js'

/** The hardware token with this serial number, or null. */
export function tokenBySerial(
  { authenticators }: Pick<SecondStepRecord, 'authenticators'>,
  serial: string,
): Authenticator | null {
  const key = serialKey(serial)
  const has = (one: Authenticator) => one.serial !== null && serialKey(one.serial) === key
  return authenticators.find(has) ?? null
}

/**
 * Binds a hardware token that an admin hands out. The user proves it by its first code; until then, and after,
 * their other authenticators work too. Whoever had none needs the token's code at the next login.
 */
export function tokenByAdmin(
  { record }: Pick<UserContext, 'record'>,
  token: Authenticator,
  { window, now }: { readonly window: number; readonly now: number },
): Decision<'done' | 'no-room'> {
  if (hasNoRoom(record, token.type)) return { record, answer: 'no-room', events: [] }
  const bound = (one: Authenticator) => {
    const authenticators = [...record.authenticators, one]
    return withAuthenticators(record, authenticators, { window, now })
  }
  const isNear =
    token.type === 'hotp' && !mayLookFar(record, bound(afterFarMisses(token, now)), { window, now })
  const after = bound(isNear ? neverFar(token) : token)
  return {
    record: { ...raiseEpoch(after), mustSetUp: null, setup: null },
    answer: 'done',
    events: [
      { type: 'token-assigned', method: token.type, detail: namedDetail(token) },
      ...lockEventsOfChange(token.type, { before: record, after }, { window, now }),
    ],
  }
}

/**
 * Whether a new token may be looked for far ahead. Of a user's tokens one is, at most, in a month, and the
 * caps of that month must have room for its wrong codes beside those that were.
 *
 * @param after the record with the token, once these were given
 */
function mayLookFar(
  before: SecondStepRecord,
  after: SecondStepRecord,
  { window, now }: { readonly window: number; readonly now: number },
): boolean {
  const isFar = (one: Authenticator) => one.type === 'hotp' && usesFar(one, now)
  if (before.authenticators.some(isFar)) return false
  const misses = missesOfMonth(after.attempts, now) + FAR_MISSES_AT_MOST
  return misses <= capsOf(after, window, now).month
}
