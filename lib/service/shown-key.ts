import { namedDetail, type SecondStepEvent } from '../domain/event.js'
import type { SecondStepRecord } from '../domain/record.js'
import { type SetupInProgress, setupExpiresAt } from '../domain/setup.js'
import { placeOf } from '../domain/setup-place.js'
import type { Keys } from '../factors/factor.js'
import type { Authenticator, CodeAuthenticator, UnprovenCodes } from '../factors/factors.js'
import type { HotpParameters } from '../factors/hotp/kept.js'
import type { OtpParameters } from '../factors/otp/parameters.js'
import type { UnprovenWebauthn, WebauthnAuthenticator } from '../factors/webauthn/kept.js'

/** What a set-up shows: the key of an authenticator that shows codes, or a challenge for a new key. */
export type ShownKey = ShownSecret | ShownChallenge

/** A key to show: the secret leaves the server here and nowhere else. */
export interface ShownSecret {
  readonly parameters:
    | (OtpParameters & { readonly type: 'totp' })
    | (HotpParameters & { readonly type: 'hotp'; readonly counter: number })
  readonly secret: Uint8Array
  /** When the set-up in progress is over, in milliseconds; null for a live key. */
  readonly expiresAt: number | null
}

/** The challenge of a set-up, for the browser of the new key. */
export interface ShownChallenge {
  readonly parameters: UnprovenWebauthn
  /** Keys that the user has, and is going to have still. */
  readonly others: readonly WebauthnAuthenticator[]
  readonly secret: null
  /** When the challenge or the set-up in progress is over, whichever is first, in milliseconds. */
  readonly expiresAt: number
}

/** The key or the challenge of a set-up in progress. */
export async function shownSetup(
  setup: SetupInProgress,
  record: SecondStepRecord,
  keys: Keys,
): Promise<ShownKey> {
  const expiresAt = setupExpiresAt(setup)
  if (setup.type !== 'webauthn') {
    const { secret } = await keys.open(setup.secret, 'setup')
    return { parameters: shownParameters(setup), secret, expiresAt }
  }
  const others = keysIn(placeOf(record, setup)?.others ?? [])
  return {
    parameters: setup,
    others: others.filter(({ rpId }) => rpId === setup.rpId),
    secret: null,
    expiresAt: Math.min(expiresAt, setup.challengeUntil),
  }
}

/** The user's security keys among these. */
export function keysIn(authenticators: readonly Authenticator[]): readonly WebauthnAuthenticator[] {
  return authenticators.flatMap((one) => (one.type === 'webauthn' ? one : []))
}

/** The live key of an authenticator. */
export async function shownLive(one: CodeAuthenticator, keys: Keys): Promise<ShownSecret> {
  const { secret } = await keys.open(one.secret, 'authenticator')
  return { parameters: shownParameters(one), secret, expiresAt: null }
}

/** What a QR code says besides the secret. A device that is set up begins at 0. */
function shownParameters(one: CodeAuthenticator | UnprovenCodes): ShownSecret['parameters'] {
  const { algorithm, digits } = one
  if (one.type === 'totp') return { type: one.type, algorithm, digits, period: one.period }
  return { type: one.type, algorithm, digits, counter: 'counter' in one ? one.counter : 0 }
}

/** Tells that a live key was shown. */
export function shownEvent(one: Authenticator): SecondStepEvent {
  const type = 'key-shown'
  return one.name === null
    ? { type, method: null }
    : { type, method: null, detail: namedDetail(one) }
}
