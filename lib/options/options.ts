import type { Request, Response } from 'express'
import type { UserAction } from '../domain/admin-actions.js'
import type { OtpParameters } from '../factors/totp/kept.js'
import type { AuditLog } from '../ports/audit-log.js'
import type { Counters } from '../ports/counters.js'
import type { Mailer } from '../ports/mailer.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import type { Users } from '../ports/users.js'
import type { RedisClient } from '../redis/redis-client.js'
import type { Render } from '../text/pages.js'
import type { PassportInstance } from '../web/request/passport.js'
import type { Paths, PendingInfo } from '../web/request/site.js'

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
  /**
   * The name that the user signs in with, where it is neither the e-mail nor the id. Nobody else may
   * have it: `limitPassword()` forgives a try at it when this user signs in.
   */
  readonly username?: string | null | undefined
  /** Names of the user's roles, which the policy may have rules for. Default none. */
  readonly roles?: readonly string[] | null | undefined
  /** When the account was made; days of grace don't begin before it. */
  readonly createdAt?: Date | number | string | null | undefined
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

/** How long a reset by mail waits before its link can be used. */
export type LostDelay = '0' | '24h' | '72h'

/** Resets by mail: whoever knows the password and reads the mail gets in. */
export interface LostOptions<U = Express.User> {
  /** A wait, in which the owner may cancel. Default `'0'`. */
  readonly delay?: LostDelay
  /**
   * Whether this user's second step may be reset by mail. Asked when it is asked for, whenever its
   * link is used, and when its wait is over. Default: everybody's but that of users with one of the
   * `adminRoles`; a function of the host's takes the place of that rule.
   */
  readonly allow?: (user: U) => boolean | Promise<boolean>
  /**
   * Holds a user's reset back until then: for hosts that reset passwords by mail or let addresses
   * change, so that one mailbox is not both. Asked when `allow` is. A hold lasts a year at most, and
   * is asked for again then. Default: null, nothing is held.
   */
  readonly heldUntil?: (user: U) => Date | null | undefined | Promise<Date | null | undefined>
}

/** Options of `createSecondStep`. */
export interface SecondStepOptions<U = Express.User> {
  /** The app's name, as authenticators and pages show it. */
  readonly issuer: string
  /** Where visitors' browsers see the app: `https://acme.example`, without a path. */
  readonly origin: string
  /**
   * Further origins whose pages may post to the routes of the package, and to those behind
   * `requireFresh()` or `limitPassword()`. Default none.
   */
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
  /**
   * Where attempts are counted: `redisCounters(redis, { prefix })`, `knexCounters(db)` or the host's own
   * adapter. Default: as `redis` says, else with the records, where that store counts; else in memory,
   * which production refuses.
   */
  readonly counters?: Counters
  /** Client for counters in Redis (ioredis), under the prefix of the store. In place of `counters`. */
  readonly redis?: RedisClient
  /**
   * What a proxy takes off every path before the app sees it: `/app` behind nginx's
   * `location /app/ { proxy_pass http://127.0.0.1:3000/; }`. `paths` and `guard({ open })` are written
   * without it, as the app sees them; links, redirects, JSON and mails have it. Default: nothing.
   */
  readonly base?: string
  /** Where the parts are mounted, and the host's own pages. Default `{ secondStep: '/second-step', admin: '/admin/second-step', signIn: '/login', signedIn: '/' }`. */
  readonly paths?: Partial<Paths>
  /** All Passport instances of the app. Default: the one that `import passport from 'passport'` gives. */
  readonly passports?: readonly PassportInstance[]
  /** Tells about a user of the host's. Default: the properties of it that have these names. */
  readonly describe?: (user: U) => Described
  /** Separates user tables that share ids: lower-case letters, digits and dashes. Default none. */
  readonly realm?: string
  /** The host's users, for what happens without one on the request. Needed with `mail`. */
  readonly users?: Users<U>
  /** The roles there are, for rules of the policy. They need `users`. Default none. */
  readonly roles?: readonly string[]
  /**
   * Roles of admins: the policy gives them no days of grace, another admin does not help them, and a
   * mail does not reset them. Default `['admin']`.
   */
  readonly adminRoles?: readonly string[]
  /**
   * Whether a user is an admin, beside those with one of the `adminRoles`: for hosts whose admins
   * have a flag and no role. It answers with true or false, or nothing for a flag that is missing, and
   * at once: anything else is a ConfigurationError. Default: nobody else.
   */
  readonly isAdmin?: (user: U) => boolean
  /**
   * Whether an admin may do this to this user. Anything but `true` refuses; nobody acts on themselves
   * in any case. Default: not to a user who has one of the `adminRoles`.
   */
  readonly canAdminister?: (actor: U, user: U, action: UserAction) => boolean | Promise<boolean>
  /** Tells users by mail what happens to their second step. Default: no mails. */
  readonly mail?: MailOptions
  /**
   * Whether users learn which admin changed their second step: in mails, and by the id in their own
   * list of events. Default false.
   */
  readonly nameAdmins?: boolean
  /** Resets by mail, "Lost your code?": they need `mail`. Default: offered where there is mail. */
  readonly lost?: false | LostOptions<U>
  readonly totp?: TotpOptions
  /** Whether backup codes are made and accepted. Default true. */
  readonly backupCodes?: boolean
  /** Whether users may see their live key again, by a code. Default true. */
  readonly showKey?: boolean
  /** Wrong codes per address in 10 minutes; `false`: no limit; or by request. Default 100. */
  readonly ipLimit?: number | false | ((req: Request) => number | false)
  /**
   * For apps that have no proxy in front of them: `X-Forwarded-For`, `Forwarded`, `X-Real-IP`,
   * `CF-Connecting-IP` and their like are the clients' own, and the address that connects counts. Without
   * it such a request is refused where its address is counted, for it may come from a proxy that
   * Express's `trust proxy` does not cover.
   * Default false.
   */
  readonly ignoreForwardedFor?: boolean
  /** Session keys of the host's that live on through a login in two steps. Default none. */
  readonly keepInSession?: readonly string[]
  /**
   * Answers in place of the gate when a login becomes pending. Where a promise of its has not settled
   * within `timeout`, and nothing was answered, the login is refused with 503.
   */
  readonly onPending?: (req: Request, res: Response, info: PendingInfo) => unknown
  /** Hidden fields for every form of the package's, such as the host's CSRF token. */
  readonly formFields?: (req: Request) => Readonly<Record<string, string>>
  /**
   * The language of a request, before the user's own `locale` and the browser's `Accept-Language`.
   * It answers at once; a promise is a ConfigurationError. Default: undefined, none.
   */
  readonly language?: (req: Request) => string | undefined
  /** Folder whose `.ejs` files replace the package's of the same name. */
  readonly views?: string
  /** Makes the pages in place of the package's EJS views. */
  readonly render?: Render
  /** Texts by language and key: a language more, or other words. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /**
   * Milliseconds that one call of a store, a counter, the session store or a function of the host's
   * may take, 50 to 30,000; then the request is refused with 503. A request may make several calls, so
   * its refusal takes up to twice as long. Mails have a limit of their own. Default 1000.
   */
  readonly timeout?: number
  /** Time and randomness. Default: the system's. For tests of the host's that move the clock. */
  readonly system?: System
}
