import type { Actor, SecondStepEventType } from './event.js'

/**
 * A number marks an attempt: an event that changes no second step, and that somebody without a
 * second factor can cause as often as they like (with a password, in a pause, by a refused
 * request). The number is how many the audit log notes a day about one user and method. More would
 * push older attempts out of a bounded log. `change` marks every other event. The log keeps the two
 * apart, so that attempts never push a change out.
 *
 * `{ change: n }` marks a change that whoever has a factor, or sets one up, can cause as often as they like. It
 * is noted so many times a day, more often than an owner causes it: a user's log has room for 1,000 changes.
 * With the limits of `CodeLimits` and of resets by mail, one person's worst day has about 570 of them.
 */
const KINDS = {
  enrolled: 'change',
  'authenticator-added': 'change',
  'authenticator-removed': 'change',
  'authenticator-renamed': 'change',
  'token-assigned': 'change',
  resynchronised: { change: 20 },
  // `requireFresh` asks for a code each five minutes.
  'code-accepted': { change: 100 },
  // Once for each code that is accepted, if there is a key.
  'weaker-method-used': { change: 10 },
  // A provider's session signs in again at a click.
  'upstream-accepted': { change: 20 },
  // The number that locks the authenticator.
  'wrong-code': 20,
  'authenticator-locked': 5,
  // Once for each key.
  'authenticator-suspended': 'change',
  'pending-login-used-up': 5,
  'backup-code-used': { change: 20 },
  'backup-codes-low': { change: 20 },
  'backup-codes-made': 'change',
  'backup-codes-saved': 'change',
  'key-changed': 'change',
  'key-shown': 'change',
  reset: 'change',
  disabled: 'change',
  // Begun, ready, ended: these need no factor, but one user gets at most five of these mails a day.
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
  'browser-trusted': { change: 20 },
  'trusted-browser-used': { change: 50 },
  'trusted-browser-forgotten': { change: 20 },
  'trusted-browser-reused': { change: 20 },
  reminded: 'change',
  'policy-changed': 'change',
  'change-refused': 20,
  'too-many-changes': 'change',
  'logged-out': 10,
  'sessions-ended': 5,
  note: 'change',
  'password-changed': 5,
  'secret-unreadable': 1,
  'mail-failed': 5,
} as const satisfies Readonly<
  Record<SecondStepEventType, number | 'change' | { readonly change: number }>
>

/** All types of events. One that is missing in the table does not compile. */
export const EVENT_TYPES = Object.keys(KINDS) as readonly SecondStepEventType[]

/** The part of an event that decides its kind. */
interface Happened {
  readonly type: SecondStepEventType
  readonly actor: Pick<Actor, 'kind'>
}

/** Whether somebody without a second factor can cause such events as often as they like. */
export function isAttempt(event: Happened): boolean {
  return typeof KINDS[event.type] === 'number' && !isActOfAdmin(event)
}

/** How many such events are noted a day about one user and method. Null: all of them. */
export function notedADay(event: Happened): number | null {
  const noted = KINDS[event.type]
  if (noted === 'change' || isActOfAdmin(event)) return null
  return typeof noted === 'number' ? noted : noted.change
}

/** An admin's change needs a fresh code and has its own limits. A refused change needs no code. */
function isActOfAdmin({ type, actor }: Happened): boolean {
  const byAdmin = actor.kind === 'admin' || actor.kind === 'operator'
  return byAdmin && type !== 'change-refused'
}
