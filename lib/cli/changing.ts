import type { UserAction } from '../domain/admin-actions.js'
import type { AdminAnswer, AdminChange } from '../service/admin-changes.js'
import { type App, type NamedUser, userOf, withApp } from './app.js'
import { type OptionName, UsageError, type Values } from './arguments.js'
import type { Command, Outcome } from './command.js'
import { required } from './refusals.js'

export const USER = '--user ID      the user, by the id that your app knows'
export const CONFIG = '--config FILE  the options of createSecondStep'
export const JSON_LINE = '--json         prints the result as JSON'
const REASON = '--reason TEXT  for the audit log and the user, who reads it in the mail'
const DRY_RUN = '--dry-run      changes nothing, and says what would be done'
const YES = '--yes          needed, because it cannot be undone'

const WHY_NOT = {
  'not-enrolled': 'there is no second step to change',
  'required-by-policy': 'the policy requires a second step of this user',
  'switched-off': 'this is switched off here',
  'stronger-factor-required': "a rule of the user's roles does not accept it",
  'no-room': 'the user has as many authenticators as a user may have',
  'seed-in-use': 'the user, or another one, has a device with this seed already',
  'serial-in-use': 'this serial number is in use',
  'not-found': 'there is no such authenticator',
} as const

/** What is printed of a change beside the user's state. */
interface Told {
  readonly lines: readonly string[]
  readonly json: object
}

interface Changing<Result> {
  readonly summary: string
  readonly help: string
  readonly usage?: string
  /** Options beside those of every change. */
  readonly options?: readonly OptionName[]
  /** Whether `--yes` is needed. Default: no. */
  readonly isFinal?: boolean
  /**
   * Reads its options before anything is opened: wrong input is wrong whatever the app's state is.
   *
   * @throws UsageError
   */
  readonly check?: (values: Values) => unknown
  readonly act: (app: App, change: AdminChange, values: Values) => Promise<AdminAnswer<Result>>
  /** Not called in a dry run: what it made is not kept. Default: nothing. */
  readonly told?: (result: Result) => Told
}

/**
 * A command that changes one user's second step. The audit log records a refusal, as for an admin.
 */
export function changing<Result>(action: UserAction, given: Changing<Result>): Command {
  const { usage = '', options = [], isFinal = false, check } = given
  const lines = [CONFIG, USER, REASON, DRY_RUN, ...(isFinal ? [YES] : []), JSON_LINE]
  const final: readonly OptionName[] = isFinal ? ['yes'] : []
  const how = isFinal ? '--yes|--dry-run' : '[--dry-run]'
  return {
    summary: given.summary,
    usage: `--config FILE --user ID${usage} [--reason TEXT] ${how}`,
    help: [given.help, ...lines].join('\n'),
    options: ['config', 'user', 'reason', 'json', 'dry-run', ...final, ...options],
    run: async (values) => {
      check?.(values)
      const id = userIn(values)
      const dryRun = values['dry-run'] === true
      if (isFinal && !dryRun && values.yes !== true) {
        throw new UsageError(
          `${action} cannot be undone: add --yes, or --dry-run to see what it would do.`,
        )
      }
      return withApp(values, async (app) => {
        const user = await userOf(app, id)
        const { subject } = user
        const { requestInfo } = app
        const answer =
          subject === null
            ? ({ kind: 'not-enrolled' } as const)
            : await given.act(app, { ...user, subject, requestInfo, dryRun }, values)
        if (answer.kind === 'done') {
          const told = dryRun ? undefined : given.told?.(answer.result)
          return done(action, user, { ...answer, dryRun }, told)
        }
        if (!dryRun) {
          const refusal = { action, code: answer.kind }
          await app.site.administration.refused(user.userId, requestInfo, refusal)
        }
        const unknown = subject === null && app.findSubject !== null
        return unknown ? nobody(id) : refused(action, user, answer.kind)
      })
    },
  }
}

/** @throws UsageError */
export function userIn({ user }: Values): string {
  return required(user, 'No user: give --user ID, as your app knows the user by.')
}

export function nobody(id: string): Outcome {
  return { ok: false, text: `There is no user ${id}.`, json: { user: id, code: 'not-found' } }
}

/** A value of the JSON as people read it. */
export function shown(value: unknown): string {
  if (value === null) return '-'
  return value instanceof Date ? value.toISOString() : String(value)
}

interface Done {
  readonly state: string
  readonly changed: boolean
  readonly dryRun: boolean
}

function done(
  action: UserAction,
  { id }: NamedUser,
  { state, changed, dryRun }: Done,
  { lines, json }: Told = { lines: [], json: {} },
): Outcome {
  const text = [`${id}: ${whatOf(action, changed, dryRun)}: ${state}.`, ...lines].join('\n')
  const dry = dryRun ? { dryRun } : {}
  return { ok: true, text, json: { user: id, ...dry, state, changed, ...json } }
}

function whatOf(action: UserAction, changed: boolean, dryRun: boolean): string {
  if (!dryRun) {
    const what = changed ? `${action} done` : `there was nothing to ${action}`
    return `${what}. The second step is now`
  }
  const what = changed ? `${action} would be done` : `there would be nothing to ${action}`
  return `${what}. The second step would be`
}

function refused(action: UserAction, { id }: NamedUser, code: keyof typeof WHY_NOT): Outcome {
  const text = `${id}: ${action} refused (${code}): ${WHY_NOT[code]}.`
  return { ok: false, text, json: { user: id, code } }
}
