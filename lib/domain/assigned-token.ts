import type { Authenticator } from '../factors/factors.js'
import { comparedFar } from '../factors/hotp/answer.js'
import { FAR_MISSES_AT_MOST, type HotpAuthenticator } from '../factors/hotp/kept.js'
import { missesOfMonth } from './attempts.js'
import { capsOf, hasNoRoom, withAuthenticators } from './authenticators.js'
import type { Decision } from './decision.js'
import { namedDetail } from './event.js'
import { lockBrought } from './lock-event.js'
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
    token.type === 'hotp' && !mayLookFar(record, bound(guessed(token, now)), { window, now })
  const after = bound(isNear ? { ...token, farMisses: NEVER_FAR } : token)
  return {
    record: { ...raiseEpoch(after), mustSetUp: null, setup: null },
    answer: 'done',
    events: [
      { type: 'token-assigned', method: token.type, detail: namedDetail(token) },
      ...lockBrought(token.type, { before: record, after }, { window, now }),
    ],
  }
}

const NEVER_FAR: readonly number[] = Array.from({ length: FAR_MISSES_AT_MOST }, () => 0)

/** The token after all the wrong codes that are compared with those far ahead. */
function guessed(token: HotpAuthenticator, now: number): HotpAuthenticator {
  return { ...token, farMisses: Array.from({ length: FAR_MISSES_AT_MOST }, () => now) }
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
  if (before.authenticators.some((one) => isFar(one, now))) return false
  const misses = missesOfMonth(after.attempts, now) + FAR_MISSES_AT_MOST
  return misses <= capsOf(after, window, now).month
}

function isFar(one: Authenticator, now: number): boolean {
  if (one.type !== 'hotp') return false
  const isOpen = one.farMisses.length < FAR_MISSES_AT_MOST
  const isNew = one.serial !== null && one.lastUsedAt === null
  return comparedFar(one, now).length > 0 || (isNew && isOpen)
}
