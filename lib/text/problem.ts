import type { FactorMethod } from '../factors/factors.js'
import type { Translate } from './messages.js'

/** The stable codes of RFC 9457 problems, and their statuses. */
export const PROBLEM_STATUS = {
  'malformed-request': 400,
  'not-signed-in': 401,
  'code-required': 401,
  'setup-required': 403,
  'wrong-code': 401,
  'sign-in-again': 401,
  'too-many-attempts': 429,
  'fresh-code-required': 403,
  'stronger-factor-required': 403,
  'required-by-policy': 409,
  'switched-off': 409,
  'not-enrolled': 409,
  'already-enrolled': 409,
  'already-signed-in': 409,
  'setup-expired': 410,
  'cross-origin': 403,
  forbidden: 403,
  'not-found': 404,
  'link-expired': 410,
  'not-yet': 409,
  unavailable: 503,
} as const satisfies Readonly<Record<string, number>>

/** The code of an error, for clients. */
export type ProblemCode = keyof typeof PROBLEM_STATUS

/** Texts for a problem whose own text would mislead: by their keys, with their values. */
export type ProblemText =
  | {
      readonly key:
        | 'factor.backup-code.wrong'
        | 'factor.backup-code.none'
        | 'factor.one-time-code.wrong'
        | 'factor.one-time-code.wrong-either'
        | 'factor.one-time-code.malformed'
        | 'challenge.last-wrong-code'
        | 'factor.totp.blocked'
        | 'factor.totp.blocked-backup'
        | 'factor.totp.blocked-given'
        | 'factor.hotp.wrong'
        | 'factor.several.wrong'
        | 'factor.totp.out-of-step'
        | 'factor.hotp.setup-wrong'
        | 'factor.hotp.blocked'
        | 'factor.hotp.blocked-backup'
        | 'factor.hotp.blocked-given'
        | 'settings.enough-today'
        | 'settings.no-key-of-token'
        | 'settings.no-key-of-counter'
        | 'resync.wrong'
        | 'resync.malformed'
        | 'resync.none'
        | 'admin.token.bad-seed'
        | 'admin.token.short-seed'
        | 'admin.token.bad-serial'
        | 'admin.token.bad-type'
        | 'admin.token.bad-algorithm'
        | 'admin.token.bad-digits'
        | 'admin.token.bad-period'
        | 'admin.token.bad-counter'
        | 'admin.token.long-seed'
        | 'admin.token.serial-in-use'
        | 'admin.token.seed-in-use'
        | 'admin.token.no-room'
        | 'refusal.not-found'
        | 'lost-link.other-browser'
        | 'device.no-room'
        | 'rule.nothing-accepted'
        | 'rule.no-backup-codes'
        | 'admin.not-accepted'
        | 'admin.bulk.nobody'
        | 'admin.policy.nothing-in-common'
        | 'admin.policy.no-keys-here'
        | 'device.name-wrong'
        | 'device.name-taken'
        | 'device.which'
        | 'factor.webauthn.malformed'
        | 'factor.webauthn.wrong'
        | 'factor.webauthn.setup-wrong'
        | 'factor.webauthn.only'
        | 'factor.webauthn.only-backup'
        | 'settings.no-key-of-key'
    }
  | {
      readonly key: `factor.${'totp' | 'hotp'}.malformed${'' | '-backup' | '-given' | '-either'}`
      /** The lengths that a code may have, one at least. */
      readonly digits: readonly number[]
    }
  | {
      readonly key: 'problem.stronger-factor-required'
      /** The methods that count, one at least. */
      readonly methods: readonly FactorMethod[]
    }
  | {
      readonly key: 'admin.policy.allowed'
      /** What may stand in the field. */
      readonly values: string
    }
  | {
      readonly key: 'admin.token.serial-in-use-by'
      /** Who has the token. */
      readonly user: string
    }
  | {
      readonly key: 'admin.user.odd'
      /** The field that the app describes wrongly. */
      readonly field: string
    }

/** The texts of a problem, in the visitor's language. */
export function detailOf({ code, text }: Problem, t: Translate): string {
  if (text === undefined) return t(`problem.${code}`)
  const { key, ...values } = text
  if ('methods' in values) return t(key, { methods: acceptedWords(values.methods, t) })
  return t(key, 'digits' in values ? { digits: oneOf(values.digits, t) } : { ...values })
}

/** What a user may give, in words. */
export function acceptedWords(methods: readonly FactorMethod[], t: Translate): string {
  return oneOf(
    methods.map((method) => t(`factor.${method}.accepted`)),
    t,
  )
}

function oneOf(items: readonly (string | number)[], t: Translate): string {
  const last = items.at(-1)
  const list = items.slice(0, -1).join(', ')
  return list === '' ? `${last}` : t('factor.one-of', { list, last: `${last}` })
}

/** A refusal that a handler answers with. */
export interface Problem {
  readonly code: ProblemCode
  /** Only where it differs from the code's own: 413 and 415 of `malformed-request`. */
  readonly status?: number
  /** Of `malformed-request`: the name of the field; null: the body as a whole. */
  readonly field?: string | null
  /** A path on this origin that leads on; in JSON too where it is given. */
  readonly next?: string
  /** The methods that count, of `stronger-factor-required`; in JSON too. */
  readonly accepts?: readonly FactorMethod[]
  /** A path that the page links to and JSON leaves out. */
  readonly link?: string
  /** Seconds that the device's clock is off, at a set-up. */
  readonly clockOff?: number
  /** When the wait of a reset by mail is over; in JSON too. */
  readonly availableAt?: Date
  /** Seconds, in the `Retry-After` header. */
  readonly retryAfter?: number
  /** Of `too-many-attempts`: the admin has no place for any other change either. */
  readonly forAll?: boolean
  /** A text that says more than the code's own. */
  readonly text?: ProblemText
  /** Until when the authenticator's codes are not looked at; pages say it in the visitor's time. */
  readonly blockedUntil?: Date
  /**
   * Wrong codes that this pending login may still have, or that lock where these are fewer; in a session those that
   * lock. 0: it has locked.
   */
  readonly triesLeft?: number
  /** The last of these tries locks the authenticators; only pages say so. */
  readonly lastLocks?: boolean
}

/** A request that cannot be read: which field of it, or null for the body as a whole. */
export function malformed(field: string | null, status?: number): Problem {
  return { code: 'malformed-request', field, ...(status === undefined ? {} : { status }) }
}

/** The link on the page of a problem. */
export interface Lead {
  /** A path on this origin; null: the first step. */
  readonly next: string | null
  /** `on`: to what is missing; `back`: to where the visitor came from; `again`: to the same page. */
  readonly lead: 'on' | 'back' | 'again' | 'sign-in'
}
