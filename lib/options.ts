import type { Request, Response } from 'express'
import type { OtpParameters } from './domain/authenticator.js'
import { ConfigurationError } from './errors/configuration-error.js'
import type { AuditLog } from './ports/audit-log.js'
import type { Mailer } from './ports/mailer.js'
import type { RecordStore } from './ports/record-store.js'
import type { System } from './ports/system.js'
import type { Users } from './ports/users.js'
import type { RedisClient } from './stores/redis-client.js'
import type { Render } from './web/pages.js'
import type { PassportInstance } from './web/passport.js'
import type { Description, Paths, PendingInfo } from './web/site.js'

/** The one-time passwords that new authenticators make. */
export interface TotpOptions {
  /** Hash. Default `sha1`, the one that every app knows (RFC 6238 §1.2). */
  readonly algorithm?: OtpParameters['algorithm']
  /** Length of a code: 6, 7 or 8. Default 6. */
  readonly digits?: OtpParameters['digits']
  /** Seconds a code is current for: 15 to 120. Default 30. */
  readonly period?: number
  /** Steps before and after the current one that are accepted: 0, 1 or 2. Default 1; 0 means 0. */
  readonly window?: number
}

/** What `describe` tells; only the id is needed. */
export interface Described {
  readonly id: unknown
  readonly email?: string | null | undefined
  readonly name?: string | null | undefined
  /** The language that the user chose: a BCP 47 tag such as `it` or `pt-BR`. */
  readonly locale?: string | null | undefined
}

/** How the mails go out. */
export interface MailOptions {
  /** What sends them: `nodemailer.createTransport(…)`, or anything with its `sendMail`. */
  readonly transport: Mailer
  /** Whose mails they are: `Acme <no-reply@acme.example>`. */
  readonly from: string
}

/** Options of `createSecondStep`. */
export interface SecondStepOptions<U = Express.User> {
  /** The app's name, as authenticators and pages show it. */
  readonly issuer: string
  /** Where visitors' browsers see the app: `https://acme.example`, without a path. */
  readonly origin: string
  /** Further origins whose pages may post to the package's routes. Default none. */
  readonly origins?: readonly string[]
  /**
   * The key ring: base64 of 32 random bytes each, from `npx passport-second-step keygen`. The first
   * seals, all open.
   */
  readonly keys: readonly (string | undefined)[]
  /** Where the records are kept: `redisStore(redis)`, `memoryStore()` or the host's own adapter. */
  readonly store: RecordStore
  /** Where events are kept. Default: with the records, where that store keeps them. */
  readonly audit?: AuditLog
  /** Client for the attempt counters (ioredis). Without it they live in memory: not in production. */
  readonly redis?: RedisClient
  /** Default `{ secondStep: '/second-step', admin: '/admin/second-step', signIn: '/login', signedIn: '/' }`. */
  readonly paths?: Partial<Paths>
  /** All Passport instances of the app. Default: the one that `import passport from 'passport'` gives. */
  readonly passports?: readonly PassportInstance[]
  /** Tells about a user of the host's. Default: `id`, `email`, `name` and `locale` of it. */
  readonly describe?: (user: U) => Described
  /** Separates user tables that share ids: lower-case letters, digits and dashes. Default none. */
  readonly realm?: string
  /** The host's users, for what happens without one on the request. Needed with `mail`. */
  readonly users?: Users<U>
  /** Tells users by mail what happens to their second step. Default: no mails. */
  readonly mail?: MailOptions
  readonly totp?: TotpOptions
  /** Whether backup codes are made and accepted. Default true. */
  readonly backupCodes?: boolean
  /** Whether a user may see his live key again, by a code. Default true. */
  readonly showKey?: boolean
  /** Wrong codes per address in 10 minutes; `false`: no limit; or by request. Default 100. */
  readonly ipLimit?: number | false | ((req: Request) => number | false)
  /** Session keys of the host's that live on through a login in two steps. Default none. */
  readonly keepInSession?: readonly string[]
  /** Answers in place of the gate when a login becomes pending. */
  readonly onPending?: (req: Request, res: Response, info: PendingInfo) => unknown
  /** Hidden fields for every form of the package's, such as the host's CSRF token. */
  readonly formFields?: (req: Request) => Readonly<Record<string, string>>
  /**
   * The language of a request, before the user's own `locale` and the browser's `Accept-Language`.
   * Default: undefined, none.
   */
  readonly language?: (req: Request) => string | undefined
  /** Folder whose `.ejs` files replace the package's of the same name. */
  readonly views?: string
  /** Makes the pages in place of the package's EJS views. */
  readonly render?: Render
  /** Texts by language and key: a language more, or other words. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Time and randomness. Default: the system's. For tests of the host's that move the clock. */
  readonly system?: System
}

const KNOWN = [
  'issuer',
  'origin',
  'origins',
  'keys',
  'store',
  'audit',
  'redis',
  'paths',
  'passports',
  'describe',
  'realm',
  'users',
  'mail',
  'totp',
  'backupCodes',
  'showKey',
  'ipLimit',
  'keepInSession',
  'onPending',
  'formFields',
  'language',
  'views',
  'render',
  'messages',
  'system',
] as const satisfies readonly (keyof SecondStepOptions)[]

const DEFAULT_PATHS: Paths = {
  secondStep: '/second-step',
  admin: '/admin/second-step',
  signIn: '/login',
  signedIn: '/',
}

const DEFAULT_IP_LIMIT = 100

/** Options that were checked, and completed with their defaults. */
export interface CheckedOptions {
  readonly issuer: string
  readonly origin: string
  readonly origins: ReadonlySet<string>
  readonly paths: Paths
  readonly describe: (user: Express.User) => Description
  /** The id that a user of the host's has in the records. */
  readonly recordId: (userId: unknown) => string
  /** The id that the host knows a user of the records by. */
  readonly hostId: (recordId: string) => string
  readonly parameters: OtpParameters
  readonly window: number
  readonly backupCodes: boolean
  readonly showKey: boolean
  readonly ipLimit: (req: Request) => number
  readonly keepInSession: readonly string[]
  readonly formFields: (req: Request) => Readonly<Record<string, string>>
  readonly language: (req: Request) => string | undefined
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
  checkFunctions(options, ['describe', 'onPending', 'formFields', 'language', 'render'])
  checkMail(options)
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
  check(
    options.backupCodes === undefined || typeof options.backupCodes === 'boolean',
    '`backupCodes` must be true or false',
  )
  check(
    options.showKey === undefined || typeof options.showKey === 'boolean',
    '`showKey` must be true or false',
  )
  const origin = checkOrigin(options.origin, 'origin')
  return {
    issuer: options.issuer,
    origin,
    origins: new Set([origin, ...checkOrigins(options.origins)]),
    paths: checkPaths(options.paths),
    ...identity(options.describe, checkRealm(options.realm)),
    ...checkTotp(options.totp),
    backupCodes: options.backupCodes ?? true,
    showKey: options.showKey ?? true,
    ipLimit: checkIpLimit(options.ipLimit),
    keepInSession: options.keepInSession ?? [],
    formFields: options.formFields ?? (() => ({})),
    language: options.language ?? (() => undefined),
  }
}

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new ConfigurationError(message)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is)
}

/** Refuses names that are none of ours: a misspelt limit must not be a default one in silence. */
function checkNames(given: object, known: readonly string[], path: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = known.find((candidate) => isNear(candidate, name))
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
    throw new ConfigurationError(`there is no option \`${path}${name}\`: ${hint}`)
  }
}

/** Alike but for case and a letter or two. */
function isNear(left: string, right: string): boolean {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()]
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return (row.at(-1) ?? 0) <= 2
}

/** The objects that the host hands over: known by the methods that are called on them. */
function checkParts<U>({
  store,
  audit,
  redis,
  passports,
  messages,
  system,
}: SecondStepOptions<U>): void {
  check(
    has(store, ['find', 'write', 'findPolicy', 'writePolicy', 'list']),
    '`store` must be a record store: redisStore(redis), memoryStore() or your own',
  )
  check(
    audit === undefined || has(audit, ['append', 'list']),
    '`audit` must be an audit log: redisAuditLog(redis), knexAuditLog(knex) or your own',
  )
  check(
    redis === undefined || has(redis, ['eval', 'evalsha']),
    '`redis` must be an ioredis client, such as new Redis(url)',
  )
  const isPassport = (item: unknown): item is PassportInstance =>
    has(item, ['serializeUser', 'deserializeUser'])
  check(
    passports === undefined || (isListOf(passports, isPassport) && passports.length > 0),
    '`passports` must be a list of Passport instances, all that the app has',
  )
  check(
    messages === undefined || (typeof messages === 'object' && messages !== null),
    '`messages` must be an object: texts by language and key',
  )
  check(
    system === undefined || has(system, ['now', 'random']),
    '`system` must have the methods now() and random(size)',
  )
}

/** Without the users nobody would know whom to write to. */
function checkMail<U>({ users, mail }: SecondStepOptions<U>): void {
  check(
    users === undefined || has(users, ['findById']),
    '`users` must have the method findById(id)',
  )
  if (mail === undefined) return
  check(typeof mail === 'object' && mail !== null, '`mail` must be an object: { transport, from }')
  checkNames(mail, ['transport', 'from'], 'mail.')
  check(
    has(mail.transport, ['sendMail']),
    '`mail.transport` must have the method sendMail(mail), as nodemailer.createTransport(…) has',
  )
  check(
    isText(mail.from) && !/[\r\n]/.test(mail.from),
    '`mail.from` must be an address such as Acme <no-reply@acme.example>',
  )
  check(users !== undefined, '`mail` needs `users: { findById(id) }`, to know whom to write to')
}

function has(value: unknown, methods: readonly string[]): boolean {
  return methods.every((method) => typeof Reflect.get(Object(value), method) === 'function')
}

function checkFunctions(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name)
    check(value === undefined || typeof value === 'function', `\`${name}\` must be a function`)
  }
}

function checkOrigin(origin: unknown, name: string): string {
  const right =
    typeof origin === 'string' &&
    /^https?:\/\//.test(origin) &&
    URL.canParse(origin) &&
    new URL(origin).origin === origin
  check(right, `\`${name}\` must be an origin such as https://acme.example, without a path`)
  return origin
}

function checkOrigins(origins: unknown): readonly string[] {
  if (origins === undefined) return []
  check(Array.isArray(origins), '`origins` must be a list of origins')
  return origins.map((origin, index) => checkOrigin(origin, `origins[${index}]`))
}

function checkPaths(given: Partial<Paths> = {}): Paths {
  check(typeof given === 'object' && given !== null, '`paths` must be an object')
  checkNames(given, Object.keys(DEFAULT_PATHS), 'paths.')
  const paths = { ...DEFAULT_PATHS, ...given }
  for (const [name, path] of Object.entries(paths)) {
    const right = name.startsWith('sign') ? /^\/(?![/\\])/ : /^(\/[^/\\?#\s]+)+$/
    check(isText(path) && right.test(path), `\`paths.${name}\` must be a path such as /second-step`)
  }
  return paths
}

function checkRealm(realm: unknown): string {
  if (realm === undefined) return ''
  const right = typeof realm === 'string' && /^[a-z0-9-]{1,32}$/.test(realm)
  check(right, '`realm` must be lower-case letters, digits and dashes, at most 32')
  return `${realm}:`
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
  const right =
    limit === false ||
    typeof limit === 'function' ||
    (typeof limit === 'number' && Number.isInteger(limit) && limit > 0)
  check(right, '`ipLimit` must be a whole number above 0, false or a function')
  return (req: Request): number => {
    const value = typeof limit === 'function' ? limit(req) : limit
    return value === false ? Number.POSITIVE_INFINITY : value
  }
}

/** User ids are made strings once, here: an ObjectId never equals its JSON copy. */
function identity<U>(describe: ((user: U) => Described) | undefined, realm: string) {
  const recordId = (id: unknown): string => {
    const text = id === undefined || id === null ? '' : String(id)
    check(
      text !== '' && !text.startsWith('[object '),
      'a user has no id: give `describe: (user) => ({ id, email, name })`',
    )
    return `${realm}${text}`
  }
  return {
    recordId,
    hostId: (ofRecord: string) => ofRecord.slice(realm.length),
    describe: (user: Express.User): Description => {
      const { id, ...told } = describe?.(user as U) ?? (user as Described)
      return {
        id: recordId(id),
        email: textOrNull(told.email),
        name: textOrNull(told.name),
        locale: textOrNull(told.locale),
      }
    },
  }
}

function textOrNull(value: unknown): string | null {
  return isText(value) ? value : null
}
