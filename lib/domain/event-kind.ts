import type { SecondStepEventType } from './event.js'

/**
 * `attempt`: changes no second step, and somebody who has no second factor can bring it about as
 * often as he likes: with a password, in a pause, by asking for what is refused. `change`: all else.
 * A bounded audit log keeps them apart, so that attempts never push a change out.
 */
const KINDS = {
  enrolled: 'change',
  'code-accepted': 'change',
  'wrong-code': 'attempt',
  'authenticator-locked': 'attempt',
  'pending-login-used-up': 'attempt',
  'backup-code-used': 'change',
  'backup-codes-low': 'change',
  'backup-codes-made': 'change',
  'backup-codes-saved': 'change',
  'key-changed': 'change',
  'key-shown': 'change',
  reset: 'change',
  disabled: 'change',
  // Begun, ready, ended: no factor is needed, but one user gets five of these mails a day at most.
  'mail-reset-asked': 'change',
  'mail-reset-refused': 'attempt',
  'mail-reset-ready': 'change',
  'mail-reset-opened': 'attempt',
  'mail-reset-done': 'change',
  'mail-reset-cancelled': 'change',
  paused: 'change',
  resumed: 'change',
  unlocked: 'change',
  'one-time-code-made': 'change',
  'one-time-code-used': 'change',
  'policy-changed': 'change',
  'change-refused': 'attempt',
  'too-many-changes': 'change',
  'logged-out': 'attempt',
  'sessions-ended': 'attempt',
  'password-changed': 'attempt',
  'secret-unreadable': 'attempt',
  'mail-failed': 'attempt',
} as const satisfies Readonly<Record<SecondStepEventType, 'attempt' | 'change'>>

/** All types of events. One that is missing in the table does not compile. */
export const EVENT_TYPES = Object.keys(KINDS) as readonly SecondStepEventType[]

/** Whether somebody without a second factor can bring such events about as often as he likes. */
export function isAttempt(type: SecondStepEventType): boolean {
  return KINDS[type] === 'attempt'
}
