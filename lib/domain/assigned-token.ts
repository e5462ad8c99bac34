import type { Authenticator } from '../factors/factors.js'
import { comparedFar } from '../factors/hotp/answer.js'
import { FAR_MISSES_AT_MOST, type HotpAuthenticator } from '../factors/hotp/kept.js'
import { hasNoRoom, withAuthenticators } from './authenticators.js'
import type { Decision } from './decision.js'
import { namedDetail } from './event.js'
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
  const bound = token.type === 'hotp' ? nearIfNeeded(record, token, now) : token
  const authenticators = [...record.authenticators, bound]
  return {
    record: {
      ...raiseEpoch(withAuthenticators(record, authenticators, window)),
      mustSetUp: null,
      setup: null,
    },
    answer: 'done',
    events: [{ type: 'token-assigned', method: token.type, detail: namedDetail(token) }],
  }
}

/**
 * Of a user's tokens, one at most is looked for far ahead in a month: the caps have room for the wrong codes
 * of one.
 */
function nearIfNeeded(
  { authenticators }: SecondStepRecord,
  token: HotpAuthenticator,
  now: number,
): HotpAuthenticator {
  const isFar = (one: Authenticator) =>
    one.type === 'hotp' &&
    (comparedFar(one, now) > 0 ||
      (one.serial !== null && one.lastUsedAt === null && one.farMisses.length < FAR_MISSES_AT_MOST))
  if (!authenticators.some(isFar)) return token
  return { ...token, farMisses: Array.from({ length: FAR_MISSES_AT_MOST }, () => 0) }
}
