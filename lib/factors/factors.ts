import { backupCodes } from './backup-codes/backup-codes.js'
import type { RelyingParty } from './ceremony.js'
import type { Bound, CodeFactor, Form, KeyFactor, Keys, SpareFactor } from './factor.js'
import { hotp } from './hotp/hotp.js'
import type { HotpAuthenticator, UnprovenHotp } from './hotp/kept.js'
import { oneTimeCodes } from './one-time-codes/one-time-codes.js'
import type { OtpParameters } from './otp/parameters.js'
import type { TotpAuthenticator, UnprovenTotp } from './totp/kept.js'
import { totp } from './totp/totp.js'
import type { UnprovenWebauthn, WebauthnAuthenticator } from './webauthn/kept.js'
import { makeWebauthn } from './webauthn/make.js'
import { webauthn } from './webauthn/webauthn.js'

/** How a second step can be passed, on the wire, in stamps and in events. */
export type FactorMethod = 'totp' | 'hotp' | 'webauthn' | 'backup-code' | 'one-time-code'

/** A bound authenticator that shows codes. */
export type CodeAuthenticator = TotpAuthenticator | HotpAuthenticator

/** A bound authenticator that signs challenges. */
export type KeyAuthenticator = WebauthnAuthenticator

/** A bound authenticator of any factor. */
export type Authenticator = CodeAuthenticator | KeyAuthenticator

/** The secret of a set-up in progress. */
export type UnprovenCodes = UnprovenTotp | UnprovenHotp

/** The content of a set-up in progress, of any factor. */
export type UnprovenAuthenticator = UnprovenCodes | UnprovenWebauthn

/** A factor whose own types are not known here. */
export type AnyCodeFactor = CodeFactor<FactorMethod, Bound, unknown, unknown, unknown>
export type AnyKeyFactor = KeyFactor<FactorMethod, Bound, unknown, unknown>
export type AnyMainFactor = AnyCodeFactor | AnyKeyFactor
export type AnySpareFactor = SpareFactor<FactorMethod, unknown, unknown>
export type AnyFactor = AnyMainFactor | AnySpareFactor

const CODES: readonly AnyCodeFactor[] = [totp, hotp]
const MAIN: readonly AnyMainFactor[] = [totp, hotp, webauthn]
const SPARE = [oneTimeCodes, backupCodes] as const

/** All factors there are, in the order in which an answer is tried. Nothing else names them all. */
const FACTORS: readonly AnyFactor[] = [...MAIN, ...SPARE]

/** The methods that a rule may accept. */
export const FACTOR_METHODS: readonly FactorMethod[] = [...MAIN, ...SPARE].map(
  ({ method }) => method,
)

/** The types of authenticators, in the order in which a set-up offers them. */
export const AUTHENTICATOR_TYPES: readonly Authenticator['type'][] = ['totp', 'hotp', 'webauthn']

const FACTOR_OF: Readonly<Record<Authenticator['type'], AnyMainFactor>> = { totp, hotp, webauthn }
const CODES_OF: Readonly<Record<Authenticator['type'], AnyCodeFactor | null>> = {
  totp,
  hotp,
  webauthn: null,
}
const KEYS_OF: Readonly<Record<Authenticator['type'], AnyKeyFactor | null>> = {
  totp: null,
  hotp: null,
  webauthn,
}

/** The factor of an authenticator's type. */
export function mainFactorOf(type: Authenticator['type']): AnyMainFactor {
  return FACTOR_OF[type]
}

/** How RFC 8176 names what a proof of this method proves. */
export function amrOf(method: FactorMethod): readonly string[] {
  return FACTORS.find((factor) => factor.method === method)?.amr ?? []
}

/** The factor of a type whose authenticators show codes. Null: this type shows none. */
export function codeFactorOf(type: Authenticator['type']): AnyCodeFactor | null {
  return CODES_OF[type]
}

/** The factor of a type whose authenticators sign challenges. Null: this type signs none. */
export function keyFactorOf(type: Authenticator['type']): AnyKeyFactor | null {
  return KEYS_OF[type]
}

/** Whether an authenticator shows codes. */
export function showsCodes(one: Authenticator): one is CodeAuthenticator {
  return one.type !== 'webauthn'
}

/** Whether an authenticator signs challenges. */
export function signsChallenges(one: Authenticator): one is KeyAuthenticator {
  return one.type === 'webauthn'
}

/** Whether a set-up in progress has a secret, as those of codes have. */
export function hasSecret<T extends UnprovenAuthenticator>(one: T): one is T & UnprovenCodes {
  return one.type !== 'webauthn'
}

/** What the content of a new set-up is made with. */
interface Making {
  readonly parameters: OtpParameters
  readonly keys: Keys
  /** Of keys. Null: the host has no WebAuthn. */
  readonly relyingParty: RelyingParty | null
  /** By which keys know the user. Null: they have none. */
  readonly handle: string | null
  /** Milliseconds. */
  readonly now: number
}

/** Begins a set-up of this type with a new secret or challenge. */
export async function makeUnproven(
  type: Authenticator['type'],
  random: Uint8Array,
  { parameters, keys, relyingParty, handle, now }: Making,
): Promise<UnprovenAuthenticator> {
  if (type !== 'webauthn') return (type === 'hotp' ? hotp : totp).make(random, parameters, keys)
  if (relyingParty === null) throw new Error('a set-up that the host does not allow')
  return makeWebauthn(random, { relyingParty, handle, now })
}

/** Checks what a store has given back as an authenticator. */
export function isAuthenticator(value: unknown): value is Authenticator {
  return MAIN.some((factor) => factor.isKept(value))
}

/** Checks what a store has given back as the secret of a set-up in progress. */
export function isUnproven(value: unknown): value is UnprovenAuthenticator {
  return MAIN.some((factor) => factor.isUnproven(value))
}

/** An answer, and a factor whose shape it has. */
export interface Reading {
  readonly factor: AnyFactor
  readonly given: unknown
  /** The answer after it, of a device that is out of step. Undefined: one answer is enough. */
  readonly next?: unknown
}

/**
 * A user's input to prove the second step: an answer of one factor or, if shapes are alike, of
 * several.
 */
export type Proof = readonly [Reading, ...Reading[]]

/** Reads a proof. Null: no factor knows the shape, so it is malformed and costs no attempt. */
export function readProof(form: Form): Proof | null {
  const [first, ...others] = FACTORS.flatMap((factor) => {
    const given = factor.read(form)
    return given === undefined ? [] : [{ factor, given }]
  })
  return first === undefined ? null : [first, ...others]
}

/**
 * Reads two consecutive answers of a device that is out of step.
 *
 * @returns the field that is malformed, if one is
 */
export function readResync(form: Form): Proof | 'code' | 'nextCode' {
  const second = { ...form, code: form.nextCode }
  const [first, ...others] = CODES.flatMap((factor) => {
    const [given, next] = [factor.read(form), factor.read(second)]
    return given === undefined || next === undefined ? [] : [{ factor, given, next }]
  })
  if (first !== undefined) return [first, ...others]
  return CODES.some((factor) => factor.read(form) !== undefined) ? 'nextCode' : 'code'
}
