import type { Request } from 'express'
import { answeredAtOnce, refuseAsync } from '../errors/at-once.js'
import { checkNames } from '../errors/check-names.js'
import type { RelyingParty } from '../factors/ceremony.js'
import { AUTHENTICATOR_TYPES, type Authenticator } from '../factors/factors.js'
import type { OtpParameters } from '../factors/otp/parameters.js'
import { checkTimeout } from '../ports/check-timeout.js'
import type { Account } from '../service/accounts.js'
import type { Glimpse } from '../service/odd-user.js'
import type { TrustSettings } from '../service/trusted-browsers.js'
import type { Paths } from '../web/request/site.js'
import { check, isListOf, isText } from './check.js'
import { ADMIN_ROLES, checkAdminRoles } from './check-admin-roles.js'
import { checkOrigin } from './check-origin.js'
import { checkLost, checkMail, checkParts, checkReminders } from './check-parts.js'
import { checkBase, checkPaths } from './check-paths.js'
import { checkRevocation } from './check-revocation.js'
import { checkTrustedBrowsers } from './check-trusted-browsers.js'
import { type CheckedUpstream, checkUpstream } from './check-upstream.js'
import { checkWebauthn } from './check-webauthn.js'
import { identity } from './identity.js'
import type { SecondStepOptions, TotpOptions } from './options.js'

const KNOWN = [
  'issuer',
  'origin',
  'origins',
  'keys',
  'store',
  'audit',
  'counters',
  'redis',
  'base',
  'paths',
  'passports',
  'describe',
  'realm',
  'users',
  'roles',
  'adminRoles',
  'helpDeskRoles',
  'isAdmin',
  'canAdminister',
  'mail',
  'lost',
  'reminders',
  'nameAdmins',
  'upstream',
  'totp',
  'authenticators',
  'webauthn',
  'backupCodes',
  'trustedBrowsers',
  'showKey',
  'ipLimit',
  'ignoreForwardedFor',
  'keepInSession',
  'onPending',
  'formFields',
  'language',
  'views',
  'render',
  'messages',
  'revocation',
  'timeout',
  'telemetry',
  'system',
] as const satisfies readonly (keyof SecondStepOptions)[]

/** Functions that must be synchronous: a promise would silently be ignored. */
const AT_ONCE = ['describe', 'isAdmin', 'formFields', 'language', 'ipLimit'] as const

const DEFAULT_IP_LIMIT = 100

/** Checked options with their defaults. */
export interface CheckedOptions extends CheckedUpstream {
  readonly issuer: string
  readonly origin: string
  readonly origins: ReadonlySet<string>
  /** The prefix that a proxy strips from every path. Empty if none. */
  readonly base: string
  /** As browsers see them, with `base`. */
  readonly paths: Paths
  readonly describe: (user: Express.User) => Account<Express.User>
  /** What can be told of a user where `describe` throws. */
  readonly glimpse: (user: Express.User) => Glimpse
  /** The id that a user of the host's has in the records. */
  readonly recordId: (userId: unknown) => string
  /** The id that the host knows a user of the records by. */
  readonly hostId: (recordId: string) => string
  /** As `recordId`, for a requested id: null if it is malformed. */
  readonly recordIdOf: (hostId: string) => string | null
  /** As `hostId`, for an id from the store: null for a user of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  /** The roles that the policy may have rules for. */
  readonly roles: readonly string[]
  readonly parameters: OtpParameters
  readonly window: number
  /** The types that users may set up, the usual one first. */
  readonly authenticators: readonly Authenticator['type'][]
  /** Null: the host has no WebAuthn. */
  readonly webauthn: RelyingParty | null
  readonly backupCodes: boolean
  /** Null: no browser is trusted. */
  readonly trust: TrustSettings | null
  readonly showKey: boolean
  readonly nameAdmins: boolean
  /** Days before the end of the days of grace; none: nobody is reminded. */
  readonly reminderDays: readonly number[]
  readonly ipLimit: (req: Request) => number
  readonly ignoreForwardedFor: boolean
  readonly keepInSession: readonly string[]
  readonly formFields: (req: Request) => Readonly<Record<string, string>>
  readonly language: (req: Request) => string | undefined
  /** Milliseconds for which the guard may go by what it has read. Null: it reads at every request. */
  readonly keptFor: number | null
  readonly timeout: number
}

/**
 * Checks the options once, at start-up.
 *
 * @throws ConfigurationError naming the option, what is wrong with it and the fix
 */
export function checkOptions<U>(options: SecondStepOptions<U>): CheckedOptions {
  check(typeof options === 'object' && options !== null, 'createSecondStep() needs its options')
  checkNames(options, KNOWN, '')
  check(isText(options.issuer), "`issuer` must be the app's name")
  checkParts(options)
  checkFunctions(options, [
    'describe',
    'isAdmin',
    'canAdminister',
    'onPending',
    'formFields',
    'language',
    'render',
  ])
  for (const name of AT_ONCE) refuseAsync(name, options[name])
  checkMail(options)
  checkLost(options)
  check(
    options.views === undefined || isText(options.views),
    '`views` must be the path of a folder',
  )
  check(
    options.views === undefined || options.render === undefined,
    'give `views` or `render`, not both',
  )
  check(
    options.keepInSession === undefined || isListOf(options.keepInSession, isText),
    '`keepInSession` must be a list of session keys',
  )
  for (const name of ['roles', 'adminRoles', 'helpDeskRoles'] as const) {
    const given = options[name]
    check(given === undefined || isListOf(given, isText), `\`${name}\` must be a list of names`)
  }
  checkAdminRoles(options)
  check(
    options.roles === undefined || options.users !== undefined,
    '`roles` need `users: { findById(id) }`: roles that a session remembers may be out of date',
  )
  checkSwitches(options, ['backupCodes', 'nameAdmins', 'showKey', 'ignoreForwardedFor'])
  const origin = checkOrigin(options.origin, 'origin')
  const base = checkBase(options.base)
  const elsewhere = checkOrigins(options.origins)
  const webauthn = checkWebauthn(options.webauthn, origin, elsewhere)
  const paths = checkPaths(options.paths, base)
  const { realm = '' } = options
  return {
    issuer: options.issuer,
    origin,
    origins: new Set([origin, ...elsewhere]),
    base,
    paths,
    ...identity(options.describe, checkRealm(options.realm), adminOf(options), helpDeskOf(options)),
    roles: options.roles ?? [],
    ...checkUpstream(options.upstream),
    ...checkTotp(options.totp),
    authenticators: checkAuthenticators(options.authenticators, webauthn),
    webauthn,
    backupCodes: options.backupCodes ?? true,
    trust: checkTrustedBrowsers(options.trustedBrowsers, { origin, paths, realm }),
    showKey: options.showKey ?? true,
    nameAdmins: options.nameAdmins ?? false,
    reminderDays: checkReminders(options),
    ipLimit: checkIpLimit(options.ipLimit),
    ignoreForwardedFor: options.ignoreForwardedFor ?? false,
    keepInSession: options.keepInSession ?? [],
    formFields: (req) => fieldsIn(answeredAtOnce('formFields', options.formFields?.(req) ?? {})),
    language: languageOf(options.language),
    keptFor: checkRevocation(options.revocation),
    timeout: checkTimeout(options.timeout),
  }
}

/** Anything else would be no field of any form, or `[object Object]`, and each form would fail at the host's own check. */
function fieldsIn(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isMap = typeof given === 'object' && !Array.isArray(given)
  check(
    isMap && Object.values(given).every((value: unknown) => typeof value === 'string'),
    '`formFields` must answer with texts by their names: (req) => ({ _csrf: req.csrfToken() })',
  )
  return given
}

/** A wrong answer is told and passed over: a page in the browser's language is better than none. */
function languageOf(language: SecondStepOptions['language']) {
  let warned = false
  return (req: Request): string | undefined => {
    const given: unknown = answeredAtOnce('language', language?.(req))
    if (typeof given === 'string') return given
    if (given && !warned) {
      warned = true
      const kind = Array.isArray(given) ? 'list' : typeof given
      process.emitWarning(
        `passport-second-step: \`language\` answered with a ${kind}, so pages are in the browser's language: answer ` +
          "with one language tag, such as 'it', or undefined",
      )
    }
    return undefined
  }
}

/** Whether a user is an admin: by a role, or by the host's function. */
function adminOf<U>({ adminRoles = ADMIN_ROLES, isAdmin }: SecondStepOptions<U>) {
  return (user: U, roles: readonly string[]): boolean =>
    roles.some((role) => adminRoles.includes(role)) || isTrue(isAdmin?.(user))
}

function helpDeskOf<U>({ helpDeskRoles = [] }: SecondStepOptions<U>) {
  return (roles: readonly string[]): boolean => roles.some((role) => helpDeskRoles.includes(role))
}

/**
 * A missing flag means no. Other answers are refused: a truthy one that counted as no would leave
 * an admin unprotected.
 */
function isTrue(answer: unknown): boolean {
  const given = answeredAtOnce('isAdmin', answer)
  check(
    !given || given === true,
    `\`isAdmin\` must answer with true or false, not with a ${typeof given}: isAdmin: (user) => Boolean(user.isAdmin), say`,
  )
  return given === true
}

function checkFunctions(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name)
    check(value === undefined || typeof value === 'function', `\`${name}\` must be a function`)
  }
}

function checkSwitches(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name)
    check(value === undefined || typeof value === 'boolean', `\`${name}\` must be true or false`)
  }
}

function checkOrigins(origins: unknown): readonly string[] {
  if (origins === undefined) return []
  check(Array.isArray(origins), '`origins` must be a list of origins')
  return origins.map((origin, index) => checkOrigin(origin, `origins[${index}]`))
}

function checkRealm(realm: unknown): string {
  if (realm === undefined) return ''
  const right = typeof realm === 'string' && /^[a-z0-9-]{1,32}$/.test(realm)
  check(right, '`realm` must be lower-case letters, digits and dashes, at most 32')
  return `${realm}:`
}

function checkAuthenticators(
  types: SecondStepOptions<never>['authenticators'],
  webauthn: RelyingParty | null,
): readonly Authenticator['type'][] {
  if (types === undefined) return webauthn === null ? ['totp'] : ['totp', 'webauthn']
  const known: readonly unknown[] = AUTHENTICATOR_TYPES
  check(
    Array.isArray(types) &&
      types.length > 0 &&
      new Set(types).size === types.length &&
      types.every((type) => known.includes(type)),
    `\`authenticators\` must be a list of ${known.join(', ')}, such as ['totp']`,
  )
  check(
    webauthn !== null || !types.includes('webauthn'),
    '`authenticators` has webauthn, which needs the option `webauthn`: webauthn: {} is enough',
  )
  return [...types]
}

function checkTotp(totp: TotpOptions = {}): { parameters: OtpParameters; window: number } {
  check(typeof totp === 'object' && totp !== null, '`totp` must be an object')
  checkNames(totp, ['algorithm', 'digits', 'period', 'window'], 'totp.')
  const { algorithm = 'sha1', digits = 6, period = 30, window = 1 } = totp
  check(
    ['sha1', 'sha256', 'sha512'].includes(algorithm),
    '`totp.algorithm` must be sha1, sha256 or sha512',
  )
  check([6, 7, 8].includes(digits), '`totp.digits` must be 6, 7 or 8')
  check(
    Number.isInteger(period) && period >= 15 && period <= 120,
    '`totp.period` must be a whole number of seconds, 15 to 120',
  )
  check([0, 1, 2].includes(window), '`totp.window` must be 0, 1 or 2')
  return { parameters: { algorithm, digits, period }, window }
}

function checkIpLimit(limit: SecondStepOptions['ipLimit'] = DEFAULT_IP_LIMIT) {
  const isLimit = (value: unknown) =>
    value === false || (typeof value === 'number' && Number.isInteger(value) && value > 0)
  const right = typeof limit === 'function' || isLimit(limit)
  check(right, '`ipLimit` must be a whole number above 0, false or a function')
  return (req: Request): number => {
    const value = typeof limit === 'function' ? answeredAtOnce('ipLimit', limit(req)) : limit
    const known = isLimit(value) || value === Number.POSITIVE_INFINITY
    check(known, '`ipLimit` must answer with a whole number above 0, or false')
    return value === false ? Number.POSITIVE_INFINITY : value
  }
}
