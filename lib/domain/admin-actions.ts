import { isEnrolled } from './authenticators.js'
import type { SecondStepEventType } from './event.js'
import { ruleFor } from './policy.js'
import { type Footing, pauseOf } from './standing.js'

/** What decides which actions would do something for a user. */
interface Situation {
  readonly enrolled: boolean
  /** Enrolled, or made to set up again. */
  readonly owes: boolean
  readonly required: boolean
  readonly backupCodes: boolean
  readonly paused: boolean
  /** The authenticator is not asked now. */
  readonly blocked: boolean
}

/** A row of the table of actions. */
interface ActionRow {
  /** The event that it brings about; the user gets the mail of that name. */
  readonly event: SecondStepEventType
  /** Whether it would do something for this user. */
  readonly isOffered: (situation: Situation) => boolean
}

/** What is done to one user. */
export type UserAction =
  | 'resume'
  | 'unlock'
  | 'one-time-code'
  | 'backup-codes'
  | 'pause'
  | 'reset'
  | 'disable'
  | 'end-sessions'

/**
 * What an admin or the operator may do to one user, in the order of the forms. The admin's routes, the
 * mails, the events' texts and the command line go by this table; the row's name is the route's, and
 * that of its texts.
 */
export const USER_ACTIONS = {
  resume: { event: 'resumed', isOffered: ({ paused }) => paused },
  unlock: { event: 'unlocked', isOffered: ({ blocked }) => blocked },
  'one-time-code': { event: 'one-time-code-made', isOffered: ({ owes }) => owes },
  'backup-codes': {
    event: 'backup-codes-made',
    isOffered: ({ enrolled, backupCodes }) => enrolled && backupCodes,
  },
  pause: { event: 'paused', isOffered: ({ enrolled }) => enrolled },
  reset: { event: 'reset', isOffered: ({ owes }) => owes },
  disable: { event: 'disabled', isOffered: ({ owes, required }) => owes && !required },
  'end-sessions': { event: 'sessions-ended', isOffered: () => true },
} as const satisfies Readonly<Record<UserAction, ActionRow>>

/** What an admin or the operator may do: to a user's second step, and to the policy. */
export type AdminAction = UserAction | 'policy'

/** The names of the table's rows, in its order. */
export const USER_ACTION_NAMES = Object.keys(USER_ACTIONS) as readonly UserAction[]

/** All actions there are. */
export const ADMIN_ACTION_NAMES: readonly AdminAction[] = [...USER_ACTION_NAMES, 'policy']

/** Whether it is the name of a row. */
export function isUserAction(name: unknown): name is UserAction {
  return typeof name === 'string' && Object.hasOwn(USER_ACTIONS, name)
}

/** The actions that would do something for this user now. */
export function actionsFor(
  footing: Footing,
  { blocked, now }: { readonly blocked: boolean; readonly now: number },
): readonly UserAction[] {
  const { record, policy, subject } = footing
  const enrolled = isEnrolled(record)
  const situation: Situation = {
    enrolled,
    owes: enrolled || record.mustSetUp !== null,
    required: ruleFor(policy, subject).mode === 'required',
    backupCodes: policy.backupCodes,
    paused: pauseOf(footing, now) !== null,
    blocked,
  }
  return USER_ACTION_NAMES.filter((name) => USER_ACTIONS[name].isOffered(situation))
}

/** Whether a pause without an end may be offered: not where the policy requires a second step. */
export function mayPauseForever({ record, policy, subject }: Footing): boolean {
  return isEnrolled(record) && ruleFor(policy, subject).mode !== 'required'
}
