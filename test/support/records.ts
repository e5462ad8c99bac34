import {
  defaultPolicy,
  type Policy,
  type PolicyMode,
  type Subject,
} from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import type { UserContext } from '../../lib/domain/standing.js'
import type { BackupCodeSet } from '../../lib/factors/backup-codes/kept.js'
import type { HotpAuthenticator } from '../../lib/factors/hotp/kept.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import type { OtpParameters } from '../../lib/factors/otp/parameters.js'
import type { TotpAuthenticator } from '../../lib/factors/totp/kept.js'
import type { WebauthnAuthenticator } from '../../lib/factors/webauthn/kept.js'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The first millisecond of time step 60 000 000. */
export const NOW = 1_800_000_000 * SECOND
export const STEP_NOW = 60_000_000

export const USER = 'ada'

/** The ring: what these records have was made under its first key. */
export const KEY_ID = 'new-key'
export const KEY_IDS = [KEY_ID, 'old-key'] as const

/** The secret of the vectors in RFC 4226 and, for SHA-1, RFC 6238. */
export const SECRET: Uint8Array = Buffer.from('12345678901234567890')
export const PARAMETERS: OtpParameters = { algorithm: 'sha1', digits: 6, period: 30 }

/** What a set-up of an authenticator app keeps, besides its secret. */
export const UNPROVEN = { ...PARAMETERS, type: 'totp' } as const

/** Freezes a plain value all through, so that a test goes red when something writes to it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/** A frozen record of a user who was never heard of, but for what is given. */
export function recordWith(parts: Partial<SecondStepRecord> = {}): SecondStepRecord {
  return deepFreeze({ ...blankRecord(USER), ...parts })
}

/** A bound authenticator whose secret is `SECRET` and whose last code is long ago. */
export function authenticatorWith(parts: Partial<TotpAuthenticator> = {}): TotpAuthenticator {
  return {
    ...PARAMETERS,
    id: 'first',
    type: 'totp',
    name: null,
    lastUsedAt: null,
    serial: null,
    secret: 'sealed',
    lastStep: STEP_NOW - 1000,
    offset: 0,
    since: NOW - 100 * DAY,
    ...parts,
  }
}

/** A frozen record of a user who has set up the second step, but for what is given. */
export function enrolledRecord(parts: Partial<SecondStepRecord> = {}): SecondStepRecord {
  return recordWith({
    version: 1,
    writeId: 'first-write',
    epoch: 1,
    authenticators: [authenticatorWith()],
    backupCodes: backupCodeSet('one', 'two', 'three'),
    ...parts,
  })
}

/** A set of unused backup codes with these digests. */
export function backupCodeSet(...digests: readonly string[]): BackupCodeSet {
  const codes = digests.map((digest) => ({ digest, usedAt: null }))
  return {
    id: 'set',
    keyId: KEY_ID,
    codes,
    createdAt: NOW - 100 * DAY,
    saved: true,
    seenByAdmin: false,
  }
}

/** A policy of this mode; `required` since long ago, without days of grace. */
export function policyWith(mode: PolicyMode): Policy {
  const general = mode === 'required' ? NOW - 100 * DAY : null
  return { ...defaultPolicy, mode, graceDays: 0, requiredSince: { general, roles: {} } }
}

/** A user without roles, about whom the host tells nothing. */
export const NOBODY_SPECIAL: Subject = deepFreeze({ roles: [], createdAt: null, privileged: false })

/** What a user's standing is decided on. */
export function userContextWith(
  record: SecondStepRecord,
  policy: Policy,
  subject: Partial<Subject> = {},
): UserContext {
  return { record, policy, subject: { ...NOBODY_SPECIAL, ...subject } }
}

/** The authenticator's code of a time step. */
export function codeOf(step: number): string {
  return codeAt(step, SECRET, PARAMETERS)
}

/** A code that is wrong at this moment: no step near it, nor the last accepted one, has it. */
export function wrongCode(now: number, lastStep = -1): string {
  const current = Math.floor(now / 30_000)
  const near = Array.from({ length: 7 }, (_, index) => current - 3 + index)
  const right = new Set([lastStep, ...near].filter((step) => step >= 0).map(codeOf))
  for (let guess = 0; ; guess += 1) {
    const code = String(guess).padStart(6, '0')
    if (!right.has(code)) return code
  }
}

/** The app of a user who has one; null for a user who has none. */
export function authenticatorOf(
  record: Pick<SecondStepRecord, 'authenticators'>,
): TotpAuthenticator | null {
  const [one] = record.authenticators
  return one?.type === 'totp' ? one : null
}

/** A bound device with a button whose secret is `SECRET`, and whose next code is that of counter 10. */
export function hotpWith(parts: Partial<HotpAuthenticator> = {}): HotpAuthenticator {
  return {
    id: 'device',
    type: 'hotp',
    name: null,
    since: NOW - 100 * DAY,
    lastUsedAt: NOW - DAY,
    serial: null,
    algorithm: 'sha1',
    digits: 6,
    secret: 'sealed',
    counter: 10,
    farMisses: [],
    ...parts,
  }
}

/** A security key of `acme.example`. */
export function keyWith(parts: Partial<WebauthnAuthenticator> = {}): WebauthnAuthenticator {
  return {
    id: 'key',
    type: 'webauthn',
    name: null,
    since: NOW - MINUTE,
    lastUsedAt: null,
    serial: null,
    credentialId: 'AAAA',
    publicKey: 'BBBB',
    counter: 5,
    transports: [],
    backupEligible: false,
    backedUp: false,
    rpId: 'acme.example',
    handle: 'CCCC',
    suspendedAt: null,
    ...parts,
  }
}

/** The sealed secret of an authenticator or a set-up. Empty: it has none, as a key. */
export function secretOf(one: object | null | undefined): string {
  const secret: unknown = Reflect.get(one ?? {}, 'secret')
  return typeof secret === 'string' ? secret : ''
}
