import type { Method } from './stamp.js'

/**
 * The types of events, and the details of each besides who, when and where. Events, mails and the
 * audit log share these names. Details never hold a secret or a code.
 */
export interface EventDetails {
  /** An authenticator was set up. The details name it, where it has a name. */
  readonly enrolled: NamedAuthenticator | null
  /** One more authenticator was set up. */
  readonly 'authenticator-added': NamedAuthenticator
  /** One of several authenticators was removed. */
  readonly 'authenticator-removed': NamedAuthenticator
  /** An authenticator has another name. */
  readonly 'authenticator-renamed': NamedAuthenticator & { readonly before: string | null }
  /** An admin has given the user a hardware token. */
  readonly 'token-assigned': NamedAuthenticator
  /** A device that was out of step is in step again. */
  readonly resynchronised: NamedAuthenticator
  /**
   * The details name the authenticator that gave it, where the user has several or it has a name or serial
   * number. Null: there is only one to name, or it was a backup code.
   */
  readonly 'code-accepted': NamedAuthenticator | null
  /** A code was accepted of a user whose security key or passkey could have answered. */
  readonly 'weaker-method-used': null
  readonly 'wrong-code': null
  /** The second step was passed at a sign-in provider that the host believes. */
  readonly 'upstream-accepted': null
  /** Too many wrong codes: no code of the authenticator is checked until then. */
  readonly 'authenticator-locked': { readonly until: Date }
  /** A copy of a key has signed: no answer of the key is accepted any more. */
  readonly 'authenticator-suspended': NamedAuthenticator
  /** A right password was followed by all the wrong codes that a pending login may have. */
  readonly 'pending-login-used-up': null
  readonly 'backup-code-used': { readonly backupCodesLeft: number }
  /** Three or fewer were left after a use. */
  readonly 'backup-codes-low': { readonly backupCodesLeft: number }
  /** A new set was made. All earlier codes stopped working. */
  readonly 'backup-codes-made': null
  /** The user confirmed that they have saved the codes. */
  readonly 'backup-codes-saved': null
  /** Another authenticator replaced the previous one. The details name it, where it has a name. */
  readonly 'key-changed': NamedAuthenticator | null
  /** The key of a present authenticator was shown again. The details name it, where it has a name. */
  readonly 'key-shown': NamedAuthenticator | null
  /** Authenticator and codes were forgotten; the next login must set up again. */
  readonly reset: null
  /**
   * Authenticator and codes were forgotten; the first step alone is enough. The details name the last
   * authenticator where it was removed.
   */
  readonly disabled: NamedAuthenticator | null
  /** A user asked for a reset by mail. The details say from when until when the link works. */
  readonly 'mail-reset-asked': { readonly usableAt: Date; readonly expiresAt: Date }
  /** Somebody asked for a reset by mail, and no mail was sent. They were not told. */
  readonly 'mail-reset-refused': { readonly why: MailResetRefusal }
  /** The wait of a reset by mail is over. */
  readonly 'mail-reset-ready': { readonly expiresAt: Date }
  /** The link of a reset by mail was opened, which changes nothing. */
  readonly 'mail-reset-opened': null
  /** Authenticator and codes were forgotten by mail; set-up follows at once. */
  readonly 'mail-reset-done': null
  readonly 'mail-reset-cancelled': null
  /** An admin lets the user sign in without a code until then. */
  readonly paused: { readonly until: Date | 'forever' }
  readonly resumed: null
  /** Misses, waits and the lock of the authenticator were cleared. */
  readonly unlocked: null
  /** An admin has made a code for one login, good until then. */
  readonly 'one-time-code-made': { readonly expiresAt: Date }
  readonly 'one-time-code-used': null
  /** A browser may skip the second step for some days. */
  readonly 'browser-trusted': NamedBrowser
  /** A trusted browser has signed in without a code. */
  readonly 'trusted-browser-used': NamedBrowser
  readonly 'trusted-browser-forgotten': NamedBrowser
  /** After a right password came a cookie that was used before. That browser is not trusted any more. */
  readonly 'trusted-browser-reused': NamedBrowser
  /** A user without a second step was asked to set one up, by then if it is required. */
  readonly reminded: { readonly until: Date | null }
  /** The policy was changed: the changed members, with their new and their old values. About no single user. */
  readonly 'policy-changed': {
    readonly changed: Readonly<Record<string, unknown>>
    readonly before: Readonly<Record<string, unknown>>
  }
  /** An admin's change was refused, with the problem's code. */
  readonly 'change-refused': { readonly action: string; readonly code: string }
  /** An admin made too many changes, and the next ones are refused for a while. */
  readonly 'too-many-changes': null
  readonly 'logged-out': null
  readonly 'sessions-ended': null
  /** An admin has noted something, as the reason of this event. Nothing changed. */
  readonly note: null
  readonly 'password-changed': null
  /** A sealed secret could not be opened. */
  readonly 'secret-unreadable': null
  /** The mail about an event was not sent. */
  readonly 'mail-failed': MailFailure
}

/** Which browser it is. */
export interface NamedBrowser {
  /** The browser and its system, such as `Firefox (Windows)`. Null: unknown. */
  readonly browser: string | null
}

/** Which authenticator it is. */
export interface NamedAuthenticator {
  /** The user's name for it, or null. */
  readonly name: string | null
  /** Of a hardware token; else null. */
  readonly serial: string | null
}

/** The details of an event about this authenticator. */
export function namedDetail({ name, serial }: NamedAuthenticator): NamedAuthenticator {
  return { name, serial }
}

/**
 * Why no reset mail was sent. `address`: the account has none, or it is not the one that was typed.
 */
export type MailResetRefusal = 'address' | 'not-allowed' | 'too-many-mails'

/** Which mail failed, and where. */
export interface MailFailure {
  readonly mail: SecondStepEventType
  readonly part: 'users' | 'address' | 'counters' | 'view' | 'transport'
  /** The failure's class and code, such as `Error EAUTH`. Its message may hold anything. */
  readonly error: string
}

export type SecondStepEventType = keyof EventDetails

type WithDetail = {
  [T in SecondStepEventType]: EventDetails[T] extends null ? never : T
}[SecondStepEventType]

interface Plain {
  readonly type: Exclude<SecondStepEventType, WithDetail>
  readonly detail?: null
}

type Detailed = {
  [T in WithDetail]: null extends EventDetails[T]
    ? { readonly type: T; readonly detail?: EventDetails[T] }
    : { readonly type: T; readonly detail: EventDetails[T] }
}[WithDetail]

/** An event as a decision yields it: what happened, by which method. */
export type SecondStepEvent = { readonly method: Method | null } & (Plain | Detailed)

/** Who did it. `operator` is somebody at the command line, `system` the host's own code. */
export interface Actor {
  readonly kind: 'user' | 'admin' | 'operator' | 'system'
  /** The user's or admin's id as records have it; null where there is none. */
  readonly id: string | null
}
