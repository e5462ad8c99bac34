import { backupCodes } from './backup-codes/backup-codes.js'
import type { Bound, Form, Keys, MainFactor, SpareFactor } from './factor.js'
import { hotp } from './hotp/hotp.js'
import type { HotpAuthenticator, UnprovenHotp } from './hotp/kept.js'
import { oneTimeCodes } from './one-time-codes/one-time-codes.js'
import type { OtpParameters } from './otp/parameters.js'
import type { TotpAuthenticator, UnprovenTotp } from './totp/kept.js'
import { totp } from './totp/totp.js'

/** How a second step can be passed, on the wire, in stamps and in events. */
export type FactorMethod = 'totp' | 'hotp' | 'backup-code' | 'one-time-code'

/** A bound authenticator of any factor. */
export type Authenticator = TotpAuthenticator | HotpAuthenticator

/** The content of a set-up in progress, of any factor. */
export type UnprovenAuthenticator = UnprovenTotp | UnprovenHotp

/** A factor whose own types are not known here. */
export type AnyMainFactor = MainFactor<FactorMethod, Bound, unknown, unknown, unknown>
export type AnySpareFactor = SpareFactor<FactorMethod, unknown, unknown>
export type AnyFactor = AnyMainFactor | AnySpareFactor

const MAIN = [totp, hotp] as const
const SPARE = [oneTimeCodes, backupCodes] as const

/** All factors there are, in the order in which an answer is tried. Nothing else names them all. */
const FACTORS: readonly AnyFactor[] = [...MAIN, ...SPARE]

/** The types of authenticators, in the order in which a set-up offers them. */
export const AUTHENTICATOR_TYPES: readonly Authenticator['type'][] = MAIN.map(
  ({ method }) => method,
)

/** The factor of an authenticator's type. */
export function mainFactorOf(type: Authenticator['type']): AnyMainFactor {
  return MAIN.find(({ method }) => method === type) ?? totp
}

/** How RFC 8176 names what a proof of this method proves. */
export function amrOf(method: FactorMethod): readonly string[] {
  return FACTORS.find((factor) => factor.method === method)?.amr ?? []
}

/** Begins a set-up of this type with a new secret. */
export function makeUnproven(
  type: Authenticator['type'],
  random: Uint8Array,
  parameters: OtpParameters,
  keys: Keys,
): Promise<UnprovenAuthenticator> {
  return (type === 'hotp' ? hotp : totp).make(random, parameters, keys)
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
  const [first, ...others] = MAIN.flatMap((factor) => {
    const [given, next] = [factor.read(form), factor.read(second)]
    return given === undefined || next === undefined ? [] : [{ factor, given, next }]
  })
  if (first !== undefined) return [first, ...others]
  return MAIN.some((factor) => factor.read(form) !== undefined) ? 'nextCode' : 'code'
}
