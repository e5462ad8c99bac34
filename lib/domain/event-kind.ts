import type { Actor, SecondStepEventType } from './event.js'

/**
 * A number: an attempt. It changes no second step, and somebody without a second factor can bring it
 * about as often as they like: with a password, in a pause, by asking for what is refused. So many a
 * day are noted about one user, by one method; more would push older attempts out of a bounded audit
 * log. `change`: all else. The log keeps them apart, so that attempts never push a change out.
 */
const KINDS = {
  enrolled: 'change',
  'code-accepted': 'change',
  // As many as lock the authenticator.
  'wrong-code': 20,
  'authenticator-locked': 5,
  'pending-login-used-up': 5,
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
  'mail-reset-refused': 10,
  'mail-reset-ready': 'change',
  'mail-reset-opened': 10,
  'mail-reset-done': 'change',
  'mail-reset-cancelled': 'change',
  paused: 'change',
  resumed: 'change',
  unlocked: 'change',
  'one-time-code-made': 'change',
  'one-time-code-used': 'change',
  'policy-changed': 'change',
  'change-refused': 20,
  'too-many-changes': 'change',
  'logged-out': 10,
  'sessions-ended': 5,
  'password-changed': 5,
  'secret-unreadable': 1,
  'mail-failed': 5,
} as const satisfies Readonly<Record<SecondStepEventType, number | 'change'>>

/** All types of events. One that is missing in the table does not compile. */
export const EVENT_TYPES = Object.keys(KINDS) as readonly SecondStepEventType[]

/** What its kind depends on. */
interface Happened {
  readonly type: SecondStepEventType
  readonly actor: Pick<Actor, 'kind'>
}

/** Whether somebody without a second factor can bring such events about as often as they like. */
export function isAttempt(event: Happened): boolean {
  return notedADay(event) !== null
}

/** How many such events are noted a day about one user, by one method; null: all. */
export function notedADay({ type, actor }: Happened): number | null {
  const noted = KINDS[type]
  if (noted === 'change') return null
  // What an admin does takes a fresh code and has limits of its own; what they are refused takes none.
  const byAdmin = actor.kind === 'admin' || actor.kind === 'operator'
  return byAdmin && type !== 'change-refused' ? null : noted
}
