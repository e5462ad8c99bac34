import type { Method } from './stamp.js'

/**
 * What can happen to somebody's second step, and what an event of each type tells beside who, when
 * and where. Events, mails and the audit log share these words. Never a secret or a code.
 */
export interface EventDetails {
  /** An authenticator was set up. */
  readonly enrolled: null
  readonly 'code-accepted': null
  readonly 'wrong-code': null
  /** So many wrong codes that the authenticator is not asked until then. */
  readonly 'authenticator-locked': { readonly until: Date }
  /** A right password was followed by all the wrong codes that a pending login may have. */
  readonly 'pending-login-used-up': null
  readonly 'backup-code-used': { readonly backupCodesLeft: number }
  /** Three or fewer were left after a use. */
  readonly 'backup-codes-low': { readonly backupCodesLeft: number }
  /** A new set; all earlier codes are dead. */
  readonly 'backup-codes-made': null
  /** The user said that they have put them away. */
  readonly 'backup-codes-saved': null
  /** Another authenticator took the place of the one before. */
  readonly 'key-changed': null
  /** The key of the live authenticator was shown once more. */
  readonly 'key-shown': null
  /** Authenticator and codes were forgotten; the next login must set up again. */
  readonly reset: null
  /** Authenticator and codes were forgotten; the first step alone is enough. */
  readonly disabled: null
  /** A user asked for a reset by mail; the link in the mail can be used from then until then. */
  readonly 'mail-reset-asked': { readonly usableAt: Date; readonly expiresAt: Date }
  /** A reset by mail was asked for and no mail was sent. Whoever asked was not told. */
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
  /** The members of the policy that were changed, with their new values. Nobody's in particular. */
  readonly 'policy-changed': { readonly changed: Readonly<Record<string, unknown>> }
  /** An admin's change was refused, with the problem's code. */
  readonly 'change-refused': { readonly action: string; readonly code: string }
  /** An admin has made so many changes that the next ones are refused for a while. */
  readonly 'too-many-changes': null
  readonly 'logged-out': null
  readonly 'sessions-ended': null
  readonly 'password-changed': null
  /** A sealed secret could not be opened. */
  readonly 'secret-unreadable': null
  /** The mail that tells of an event was not sent. */
  readonly 'mail-failed': MailFailure
}

/** Why no mail went out that could reset. `address`: none on record, or not the one that was typed. */
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
  [T in WithDetail]: { readonly type: T; readonly detail: EventDetails[T] }
}[WithDetail]

/** An event as a decision yields it: what happened, by which method. */
export type SecondStepEvent = { readonly method: Method | null } & (Plain | Detailed)

/** Who did it. `operator` is somebody at the command line, `system` the host's own code. */
export interface Actor {
  readonly kind: 'user' | 'admin' | 'operator' | 'system'
  /** The user's or admin's id as records have it; null where there is none. */
  readonly id: string | null
}
