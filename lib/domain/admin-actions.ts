import { FACTOR_METHODS } from '../factors/factors.js'
import { ONE_TIME_CODE_LASTS } from '../factors/one-time-codes/kept.js'
import { acceptedOf, backupCodesFor, isAccepted, lacksAccepted } from './accepted-methods.js'
import { hasNoRoom, isEnrolled } from './authenticators.js'
import type { SecondStepEventType } from './event.js'
import { hasPause } from './pause.js'
import { ruleFor, type Subject } from './policy.js'
import { acceptedToTouch, type RouteRules } from './route-rules.js'
import { demandOf, type UserContext } from './standing.js'

/** The facts that decide which actions have an effect on a user. */
interface Situation {
  readonly enrolled: boolean
  /** The policy lets the user set one up. */
  readonly on: boolean
  /** Enrolled, or made to set up again. */
  readonly owes: boolean
  /** A login asks for a code while a one-time code of now is good. */
  readonly codeAsked: boolean
  readonly required: boolean
  readonly backupCodes: boolean
  /** A one-time code would count. */
  readonly oneTimeCodes: boolean
  /** Also by a pause that the policy overrides now. */
  readonly paused: boolean
  /** The authenticator is not asked now. */
  readonly blocked: boolean
  /** There may be one more authenticator that makes codes. */
  readonly hasRoom: boolean
}

/** A row of the table of actions. */
interface ActionRow {
  /** The event that it causes. The user gets the mail of that name. */
  readonly event: SecondStepEventType
  /** Whether it has an effect on this user. */
  readonly isOffered: (situation: Situation) => boolean
}

/** The actions on one user. */
export type UserAction =
  | 'resume'
  | 'unlock'
  | 'one-time-code'
  | 'backup-codes'
  | 'token'
  | 'remove-authenticator'
  | 'remind'
  | 'pause'
  | 'reset'
  | 'disable'
  | 'end-sessions'
  | 'note'

/** All that a help desk may do to a user. */
export const HELP_DESK_ACTIONS: readonly UserAction[] = ['one-time-code']

/** Whether a help desk may ever do it to this user, whatever the host permits: nothing to admins, nor to a help desk. */
export function isForHelpDesk(action: UserAction, { privileged }: Subject): boolean {
  return !privileged && HELP_DESK_ACTIONS.includes(action)
}

/**
 * The actions on one user for admins and the operator, in the order of the forms. The admin routes,
 * the mails, the events' texts and the command line are made from this table. A row's name is also
 * that of its route and its texts.
 */
export const USER_ACTIONS = {
  resume: { event: 'resumed', isOffered: ({ paused }) => paused },
  unlock: { event: 'unlocked', isOffered: ({ blocked }) => blocked },
  'one-time-code': {
    event: 'one-time-code-made',
    isOffered: ({ owes, codeAsked, oneTimeCodes }) => owes && codeAsked && oneTimeCodes,
  },
  'backup-codes': {
    event: 'backup-codes-made',
    isOffered: ({ enrolled, backupCodes }) => enrolled && backupCodes,
  },
  token: { event: 'token-assigned', isOffered: ({ hasRoom }) => hasRoom },
  // Its form is at each authenticator.
  'remove-authenticator': { event: 'authenticator-removed', isOffered: ({ enrolled }) => enrolled },
  remind: { event: 'reminded', isOffered: ({ enrolled, on }) => on && !enrolled },
  pause: { event: 'paused', isOffered: ({ enrolled }) => enrolled },
  reset: { event: 'reset', isOffered: ({ owes }) => owes },
  disable: { event: 'disabled', isOffered: ({ owes, required }) => owes && !required },
  'end-sessions': { event: 'sessions-ended', isOffered: () => true },
  note: { event: 'note', isOffered: () => true },
} as const satisfies Readonly<Record<UserAction, ActionRow>>

/** The actions of admins and the operator, on a user's second step or on the policy. */
export type AdminAction = UserAction | 'policy'

/** The names of the table's rows, in its order. */
export const USER_ACTION_NAMES = Object.keys(USER_ACTIONS) as readonly UserAction[]

/** All actions there are. */
export const ADMIN_ACTION_NAMES: readonly AdminAction[] = [...USER_ACTION_NAMES, 'policy']

/** Whether it is the name of a row. */
export function isUserAction(name: unknown): name is UserAction {
  return typeof name === 'string' && Object.hasOwn(USER_ACTIONS, name)
}

/** The actions that have an effect on this user now. */
export function actionsFor(
  userContext: UserContext,
  {
    blocked,
    now,
    routes,
  }: {
    readonly blocked: boolean
    readonly now: number
    /** What the app's routes accept. */
    readonly routes: RouteRules
  },
): readonly UserAction[] {
  const { record, policy, subject } = userContext
  const enrolled = isEnrolled(record)
  const { mode } = ruleFor(policy, subject)
  const situation: Situation = {
    enrolled,
    owes: enrolled || record.mustSetUp !== null,
    codeAsked: isCodeAsked(userContext, now),
    on: mode !== 'off',
    required: mode === 'required',
    backupCodes: backupCodesFor(policy, subject),
    oneTimeCodes: oneTimeCodesFor(userContext, routes),
    paused: enrolled && hasPause(record, now),
    blocked,
    hasRoom: !hasNoRoom(record, 'hotp'),
  }
  return USER_ACTION_NAMES.filter((name) => USER_ACTIONS[name].isOffered(situation))
}

/** Whether a one-time code would count: by the rule, or because it leads to what the rule accepts. */
export function oneTimeCodesFor(
  { record, policy, subject }: UserContext,
  routes: RouteRules,
): boolean {
  // It leads to a set-up that replaces everything.
  const ofRoutes = acceptedToTouch(FACTOR_METHODS, record, routes)
  if (!isAccepted(ofRoutes, 'one-time-code')) return false
  const accepted = acceptedOf(policy, subject)
  return isAccepted(accepted, 'one-time-code') || lacksAccepted(record, accepted)
}

/** Whether the next login leads to the set-up without asking for a code: a one-time code is of no use. */
export function mayJustSetUp(userContext: UserContext, now: number): boolean {
  return demandOf(userContext, now) === 'setup'
}

/** Not where the next login leads to the set-up, nor while a pause lasts for longer than the code. */
function isCodeAsked(userContext: UserContext, now: number): boolean {
  const last = now + ONE_TIME_CODE_LASTS - 1
  const isAskedAt = (time: number) => demandOf(userContext, time) === 'code'
  return isAskedAt(now) || (isAskedAt(last) && !mayJustSetUp(userContext, now))
}

/** Whether a pause without an end may be offered: not where the policy requires a second step. */
export function mayPauseForever({ record, policy, subject }: UserContext): boolean {
  return isEnrolled(record) && ruleFor(policy, subject).mode !== 'required'
}
