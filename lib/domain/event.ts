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
  /** The user said that he has put them away. */
  readonly 'backup-codes-saved': null
  /** Another authenticator took the place of the one before. */
  readonly 'key-changed': null
  /** The key of the live authenticator was shown once more. */
  readonly 'key-shown': null
  /** Authenticator and codes were forgotten; the next login must set up again. */
  readonly reset: null
  /** Authenticator and codes were forgotten; the first step alone is enough. */
  readonly disabled: null
  readonly 'logged-out': null
  readonly 'sessions-ended': null
  readonly 'password-changed': null
  /** A sealed secret could not be opened. */
  readonly 'secret-unreadable': null
  /** The mail that tells of an event was not sent. */
  readonly 'mail-failed': MailFailure
}

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
