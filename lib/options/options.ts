import type { Request, Response } from 'express'
import type { UserAction } from '../domain/admin-actions.js'
import type { OtpParameters } from '../factors/otp/parameters.js'
import type { AuditLog } from '../ports/audit-log.js'
import type { Counters } from '../ports/counters.js'
import type { Mailer } from '../ports/mailer.js'
import type { RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import type { Telemetry } from '../ports/telemetry.js'
import type { Users } from '../ports/users.js'
import type { HostRedis } from '../redis/host-redis.js'
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
  /**
   * Steps before and after the one that the device should show that are accepted: 0, 1 or 2. Default 1; 0
   * means 0. A clock may be up to two steps off besides.
   */
  readonly window?: number
}

/**
 * The result of `describe`. Only the id is required. A wrong `id`, `email`, `username` or `roles` is a
 * ConfigurationError; a `name`, `locale` or `createdAt` that can't be read is a warning, and left out.
 */
export interface Described {
  readonly id: unknown
  readonly email?: string | null | undefined
  readonly name?: string | null | undefined
  /**
   * The name that the user signs in with, if it is neither the e-mail nor the id. It must be
   * unique: when this user signs in, `limitPassword()` gives the try with this name back. For a user
   * with a `username` it gives back no try with the e-mail or the id. A number counts as its digits.
   */
  readonly username?: string | number | bigint | null | undefined
  /** Names of the user's roles, for rules of the policy. Default none. */
  readonly roles?: readonly string[] | null | undefined
  /** When the account was made; days of grace don't begin before it. */
  readonly createdAt?: Date | number | string | null | undefined
  /** The language that the user chose: a BCP 47 tag such as `it` or `pt-BR`. */
  readonly locale?: string | null | undefined
}

/** Security keys and passkeys (WebAuthn Level 3). */
export interface WebauthnOptions {
  /**
   * The domain that keys are made for: that of every origin, or one that each is part of. Keys that were made
   * for another one are of no use any more. Default: the host name of the option `origin`.
   */
  readonly rpId?: string
  /**
   * The origins whose pages may ask keys: https, or http://localhost. Default: the option `origin` alone.
   */
  readonly origins?: readonly string[]
  /**
   * `required`: a key asks its user for a PIN or a fingerprint too. `discouraged`: a touch is enough, beside
   * the password. Default `discouraged`.
   */
  readonly userVerification?: 'discouraged' | 'required'
}

/** The transport and the sender of mails. */
export interface MailOptions {
  /** The result of `nodemailer.createTransport(…)`, or any object with its `sendMail`. */
  readonly transport: Mailer
  /** The sender: `Acme <no-reply@acme.example>`. */
  readonly from: string
  /**
   * Whether admins are told when another admin, or the operator, changes the policy or the second step of an admin. Needs
   * `users.list`, in which the first 50 admins are looked for after such a change. Default true.
   */
  readonly tellAdmins?: boolean
}

/** How long a reset by mail waits before its link can be used. */
export type LostDelay = '0' | '24h' | '72h'

/** Resets by mail. Somebody who knows the password and can read the mail gets in. */
export interface LostOptions<U = Express.User> {
  /** A wait in which the owner can cancel. Default `'0'`. */
  readonly delay?: LostDelay
  /**
   * Whether this user may reset their second step by mail. Called when the user asks for it,
   * whenever the link is used, and at the end of the wait. Default: true, except for admins
   * (`adminRoles` or `isAdmin`). Your own function replaces this rule; any answer but `true` refuses.
   */
  readonly allow?: (user: U) => boolean | Promise<boolean>
  /**
   * Holds a user's reset back until then. For hosts that reset passwords by mail or let users
   * change their address, so that one mailbox does not pass both steps. Called whenever `allow` is.
   * A hold lasts a year at most; then the package calls it again. Default: null, no hold.
   */
  readonly heldUntil?: (user: U) => Date | null | undefined | Promise<Date | null | undefined>
}

/** Browsers that skip the second step. Somebody who knows the password and takes such a browser gets in. */
export interface TrustedBrowsersOptions {
  /** Days that a browser is trusted, 1 to 14. Fewer count at once, also for browsers of before. Default 14. */
  readonly days?: number
}

/** How soon a session that was ended elsewhere is over. */
export interface RevocationOptions {
  /**
   * For how long the guard may go by what it has read, `'100ms'` to `'60s'`, or whole milliseconds. A
   * change by this process counts at once, and one by another as soon as Redis has told of it. Where
   * that message is lost, or the store is no `redisStore`, a session that another process has ended may
   * live for so long.
   */
  readonly within: string | number
}

/**
 * What a sign-in provider says of the user's authentication there. The names are those of an ID token (OpenID
 * Connect Core §2); SAML has the same in its `AuthnStatement`.
 */
export interface UpstreamClaims {
  /** The provider, exactly as `believe` names it: `iss`. */
  readonly issuer: string
  /** How the user authenticated (RFC 8176). */
  readonly amr?: readonly string[] | null | undefined
  /** The authentication context class. */
  readonly acr?: string | null | undefined
  /** When the user authenticated: seconds since 1970, as `auth_time` is, or a Date. Without it nothing is believed. */
  readonly authTime?: number | Date | null | undefined
}

/**
 * What is believed of one issuer: an authentication with one of `amr` (where given), and with one of `acr` (where
 * given), not older than `maxAge`. At least one of the two lists is needed. An issuer may have several entries.
 */
export interface UpstreamBelief {
  /** The issuer identifier: an https address; http for localhost alone. Compared as text. */
  readonly issuer: string
  /** Methods of RFC 8176, such as `['mfa']`. One of them is enough. */
  readonly amr?: readonly string[]
  /** Context classes. One of them is enough. */
  readonly acr?: readonly string[]
  /** Seconds since the authentication, 1 to 86,400. Default 300. A minute of clock skew is tolerated. */
  readonly maxAge?: number
}

/** Second steps that users pass at a sign-in provider, before they come to the host. */
export interface UpstreamOptions<U = Express.User> {
  /**
   * Tells how the user has just authenticated at a provider; null for other logins. Called in `req.logIn`, only for
   * a user whom the package would ask for a second step. `info` is what the strategy gave to Passport beside the
   * user, `undefined` where the host logs in another object. Tell only of a token that this login has verified. A
   * failure is a process warning, and the second step is asked for.
   */
  readonly satisfiedBy: (
    req: Request,
    user: U,
    info: unknown,
  ) => UpstreamClaims | null | undefined | Promise<UpstreamClaims | null | undefined>
  /** What is believed of which issuer. What is not in the list is not believed. */
  readonly believe: readonly UpstreamBelief[]
}

/** Options of `createSecondStep`. */
export interface SecondStepOptions<U = Express.User> {
  /** The app's name, as authenticators and pages show it. */
  readonly issuer: string
  /** The app's public origin: `https://acme.example`, without a path. */
  readonly origin: string
  /**
   * Further origins whose pages may post to the routes of the package, and to those behind
   * `requireFresh()` or `limitPassword()`. Default none.
   */
  readonly origins?: readonly string[]
  /**
   * The key ring: base64 of 32 random bytes each, from `npx passport-second-step keygen`. The first
   * key encrypts, and every key decrypts.
   */
  readonly keys: readonly (string | undefined)[]
  /**
   * The store of the records: `redisStore(redis)`, `knexStore(db)`, `memoryStore()` or the host's
   * own adapter.
   */
  readonly store: RecordStore
  /** The audit log. Default: the store's own, if it has one. */
  readonly audit?: AuditLog
  /**
   * Where attempts are counted: `redisCounters(redis, { prefix })`, `knexCounters(db)` or the
   * host's own adapter. Default: the option `redis`, or else the store's own, or else in memory,
   * which production refuses.
   */
  readonly counters?: Counters
  /**
   * A client of ioredis or of the package `redis`, for counters in Redis, under the prefix of the store. Use it instead of
   * `counters`.
   */
  readonly redis?: HostRedis
  /**
   * The prefix that a proxy strips from every path: `/app` behind nginx's `location /app/ {
   * proxy_pass http://127.0.0.1:3000/; }`. Write `paths` and `guard({ open })` without it, as the
   * app sees them. The package adds it to links, redirects, JSON and mails. Default: none.
   */
  readonly base?: string
  /**
   * The paths of the two routers and of the host's own pages. Default `{ secondStep:
   * '/second-step', admin: '/admin/second-step', signIn: '/login', signedIn: '/' }`.
   * If `secondStep` changes, all users sign in again.
   */
  readonly paths?: Partial<Paths>
  /**
   * All Passport instances of the app. User ids must be unique over all of them. Default: the one that
   * `import passport from 'passport'` gives.
   */
  readonly passports?: readonly PassportInstance[]
  /** Describes a user of the host to the package. Default: the user's properties of these names. */
  readonly describe?: (user: U) => Described
  /** Separates user tables that share ids: lower-case letters, digits and dashes. Default none. */
  readonly realm?: string
  /** Finds the host's users outside of their own requests. Required with `mail`. */
  readonly users?: Users<U>
  /** The names of the host's roles, for rules of the policy. Requires `users`. Default none. */
  readonly roles?: readonly string[]
  /**
   * The roles that make a user an admin. Admins get no days of grace and no reset by mail, and
   * other admins cannot change their second step. Default `['admin']`.
   */
  readonly adminRoles?: readonly string[]
  /**
   * The roles of a help desk, none of them one of `adminRoles`. Such users find others on the admin pages and make
   * one-time codes for those who are neither admin nor help desk; everything else there is refused. Whoever is an admin
   * as well is no help desk. They are bound and protected as admins are: no days of grace, no reset by mail. Default none.
   */
  readonly helpDeskRoles?: readonly string[]
  /**
   * Whether a user without one of the `adminRoles` is an admin: for hosts whose admins have a flag
   * instead of a role. Must return true, false, null or undefined synchronously; anything else is a
   * ConfigurationError. Default: nobody else.
   */
  readonly isAdmin?: (user: U) => boolean
  /**
   * Whether an admin may take this action on this user. Any value but `true` refuses. Admins never
   * act on themselves. Default: true, except for users who are admins.
   */
  readonly canAdminister?: (actor: U, user: U, action: UserAction) => boolean | Promise<boolean>
  /** Tells users by mail what happens to their second step. Default: no mails. */
  readonly mail?: MailOptions
  /**
   * Whether users learn which admin changed their second step: in mails, and by the id in their own
   * list of events. Default false.
   */
  readonly nameAdmins?: boolean
  /**
   * Mails users before the days of grace end: each so many days before, 1 to 20. Needs `mail`; without `users.list` only
   * users with a record are reminded. `false`: nobody is. Default `{ days: [7, 3, 1] }`.
   */
  readonly reminders?: false | { readonly days?: readonly number[] }
  /** Resets by mail, "Lost your code?". Requires `mail`. Default: on if there is `mail`. */
  readonly lost?: false | LostOptions<U>
  /**
   * Believes sign-in providers, such as a company's OpenID provider, that the user has passed a second step there.
   * It is enough for the login, and never for admin routes and `requireFresh()`, nor after a reset. Default: none.
   */
  readonly upstream?: UpstreamOptions<U>
  readonly totp?: TotpOptions
  /**
   * The kinds of authenticators that users may set up themselves, the usual one first: `totp` (codes by
   * time), `hotp` (codes by a button's press, RFC 4226) and `webauthn` (security keys and passkeys).
   * Default `['totp']`, with the option `webauthn` `['totp', 'webauthn']`.
   */
  readonly authenticators?: readonly ('totp' | 'hotp' | 'webauthn')[]
  /**
   * Security keys and passkeys: `{}` is enough. Needs `@simplewebauthn/server`, which is loaded at the first
   * answer of a key. Default: none, and keys that users have answer nothing.
   */
  readonly webauthn?: WebauthnOptions
  /** Whether the package makes and accepts backup codes. Default true. */
  readonly backupCodes?: boolean
  /**
   * Lets users tick a box at the challenge: this browser then signs them in without a code for some
   * days. Such a session is never fresh. Needs an `origin` of https. Default false: no box.
   */
  readonly trustedBrowsers?: false | TrustedBrowsersOptions
  /** Whether users may see the QR code of their authenticator again, with a code. Default true. */
  readonly showKey?: boolean
  /**
   * Wrong codes allowed per address in 10 minutes. `false`: no limit. A function decides per
   * request, synchronously: a promise is a ConfigurationError. Default 100.
   */
  readonly ipLimit?: number | false | ((req: Request) => number | false)
  /**
   * For apps without a proxy in front of them: `true` ignores `X-Forwarded-For`, `Forwarded`,
   * `X-Real-IP`, `Via` and similar headers, which clients can forge, and counts under
   * the address that connects, which events and mails name too. If false, a request with such a
   * header is refused wherever its address counts, because it may come from a proxy that Express's
   * `trust proxy` does not cover. Default false.
   */
  readonly ignoreForwardedFor?: boolean
  /** Session keys of the host that survive a login in two steps. Default none. */
  readonly keepInSession?: readonly string[]
  /**
   * Answers in place of the gate when a login becomes pending. Where a promise of its has not settled
   * within `timeout`, and nothing was answered, the login is refused with 503.
   */
  readonly onPending?: (req: Request, res: Response, info: PendingInfo) => unknown
  /** Hidden fields for every form of the package's, such as the host's CSRF token. */
  readonly formFields?: (req: Request) => Readonly<Record<string, string>>
  /**
   * The language of a request. Comes before the user's own `locale` and the browser's
   * `Accept-Language`. Must be synchronous: a promise is a ConfigurationError. Default: none.
   */
  readonly language?: (req: Request) => string | undefined
  /** Folder whose `.ejs` files replace the package's of the same name. */
  readonly views?: string
  /** Makes the pages instead of the package's EJS views. */
  readonly render?: Render
  /** Texts by language and key: changes texts, or adds a language. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /**
   * Lets the guard keep what it has read of a user for a moment. Only the guard's own look: whatever
   * changes something or asks for a code reads anew. Default: none, it reads at every request.
   */
  readonly revocation?: RevocationOptions
  /**
   * Milliseconds that one call of a store, a counter, the session store or a function of the host's
   * may take, 50 to 30,000; then the request is refused with 503. A request may make several calls, so
   * its refusal takes up to twice as long. Mails have a limit of their own. Default 1000.
   */
  readonly timeout?: number
  /**
   * Measures by OpenTelemetry: what `@opentelemetry/api` exports, or its `metrics` alone for no spans. Set up the SDK
   * before. Default: nothing is measured.
   */
  readonly telemetry?: Telemetry
  /** Clock and randomness, for the host's tests. Default: the system's. */
  readonly system?: System
}
