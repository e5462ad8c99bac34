import type { Method } from './stamp.js'

/** What can happen to somebody's second step. Never holds a secret or a code. */
export type SecondStepEventType =
  | 'enrolled'
  | 'code-accepted'
  | 'wrong-code'
  | 'authenticator-locked'
  | 'pending-login-used-up'
  | 'backup-codes-saved'
  | 'logged-out'
  | 'sessions-ended'
  | 'password-changed'
  | 'secret-unreadable'

/** An event as a decision yields it: what happened, by which method. */
export interface SecondStepEvent {
  readonly type: SecondStepEventType
  readonly method: Method | null
}
