import type { AdminAction } from '../domain/admin-actions.js'
import { FOREVER } from '../domain/pause.js'
import type { AdminAnswer, AdminChange } from '../service/admin-changes.js'
import { type App, type NamedUser, userOf, withApp } from './app.js'
import type { Values } from './arguments.js'
import type { Command, Outcome } from './command.js'
import { required, wholeNumber } from './refusals.js'

const USER = '--user ID      the user, by the id that your app knows'
const CONFIG = '--config FILE  the options of createSecondStep'
const JSON_LINE = '--json         prints the result as JSON'
const REASON = '--reason TEXT  for the audit log and the user, who reads it in the mail'

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

/** `status`: how a user's second step is now. */
export const status: Command = {
  summary: "Shows how a user's second step is.",
  usage: '--config FILE --user ID',
  help: [CONFIG, USER, JSON_LINE].join('\n'),
  options: ['config', 'user', 'json'],
  run: async (values) => {
    const id = userIn(values)
    return withApp(values, async (app) => {
      const { userId, subject } = await userOf(app, id)
      if (subject === null && app.findSubject !== null) return nobody(id)
      const found = await app.status.of(userId)
      const lines = Object.entries(found).map(([name, value]) => `  ${name}: ${shown(value)}`)
      return { ok: true, text: [`${id}:`, ...lines].join('\n'), json: { user: id, ...found } }
    })
  },
}

/** `reset`: the next login sets up anew. */
export const reset = changing('reset', {
  summary: 'Makes a user set up anew at the next login, within 7 days.',
  help: 'Authenticator and codes are forgotten, and all sessions of the user end.',
  act: (app, change) => app.site.administration.reset(change),
})

/** `disable`: back to the first step alone. */
export const disable = changing('disable', {
  summary: 'Turns the second step of a user off.',
  help: 'Authenticator and codes are forgotten. Refused where the policy requires a second step.',
  act: (app, change) => app.site.administration.disable(change),
})

/** `pause`: no code for some days. */
export const pause = changing('pause', {
  summary: 'Asks a user for no code for some days.',
  help: '--days N       whole days, 1 to 365\n--days forever until resumed\nAuthenticator and codes are kept.',
  usage: ' --days N|forever',
  options: ['days'],
  act: (app, change, values) => app.site.administration.pause(change, daysOf(values)),
})

/** `resume`: ends a pause. */
export const resume = changing('resume', {
  summary: 'Ends the pause of a user.',
  help: 'Codes are asked for again at once.',
  act: (app, change) => app.site.administration.resume(change),
})

/** `unlock`: clears wrong codes, waits and the lock. */
export const unlock = changing('unlock', {
  summary: 'Lets the codes of a locked authenticator count again.',
  help: 'Misses, waits and the lock are cleared.',
  act: (app, change) => app.site.administration.unlock(change),
})

interface Changing {
  readonly summary: string
  readonly help: string
  readonly usage?: string
  readonly options?: readonly 'days'[]
  act(
    app: App,
    change: AdminChange,
    values: Values,
  ): Promise<AdminAnswer<{ readonly pausedUntil: number } | undefined>>
}

/**
 * A command that changes one user's second step. The audit log records a refusal, as for an admin.
 */
function changing(action: AdminAction, { usage = '', options = [], ...given }: Changing): Command {
  return {
    summary: given.summary,
    usage: `--config FILE --user ID${usage} [--reason TEXT]`,
    help: [given.help, CONFIG, USER, REASON, JSON_LINE].join('\n'),
    options: ['config', 'user', 'reason', 'json', ...options],
    run: async (values) => {
      // Checked before anything is opened: wrong input is wrong whatever the app's state is.
      if (options.includes('days')) daysOf(values)
      const id = userIn(values)
      return withApp(values, async (app) => {
        const user = await userOf(app, id)
        const { subject } = user
        const { requestInfo } = app
        const answer =
          subject === null
            ? ({ kind: 'not-enrolled' } as const)
            : await given.act(app, { ...user, subject, requestInfo }, values)
        if (answer.kind === 'done') return done(action, user, answer)
        const refusal = { action, code: answer.kind }
        await app.site.administration.refused(user.userId, requestInfo, refusal)
        const unknown = subject === null && app.findSubject !== null
        return unknown ? nobody(id) : refused(action, user, answer.kind)
      })
    },
  }
}

function userIn({ user }: Values): string {
  return required(user, 'No user: give --user ID, as your app knows the user by.')
}

function nobody(id: string): Outcome {
  return { ok: false, text: `There is no user ${id}.`, json: { user: id, code: 'not-found' } }
}

function done(
  action: AdminAction,
  { id }: NamedUser,
  {
    state,
    result,
    changed,
  }: Extract<AdminAnswer<{ pausedUntil: number } | undefined>, { kind: 'done' }>,
): Outcome {
  const until = result?.pausedUntil
  const pausedUntil = until === FOREVER ? 'forever' : until
  const told = pausedUntil === undefined ? {} : { pausedUntil: shown(timeOf(pausedUntil)) }
  const what = changed ? `${action} done` : `there was nothing to ${action}`
  const text = [`${id}: ${what}. The second step is now: ${state}.`]
  if (pausedUntil !== undefined) text.push(`Paused until: ${shown(timeOf(pausedUntil))}`)
  return { ok: true, text: text.join('\n'), json: { user: id, state, changed, ...told } }
}

function refused(action: AdminAction, { id }: NamedUser, code: keyof typeof WHY_NOT): Outcome {
  const text = `${id}: ${action} refused (${code}): ${WHY_NOT[code]}.`
  return { ok: false, text, json: { user: id, code } }
}

function daysOf({ days }: Values): number | 'forever' {
  const given = required(days, 'No days: give --days N or --days forever.')
  return given === 'forever' ? given : wholeNumber('days', given, 1, 365)
}

function timeOf(time: number | 'forever'): Date | 'forever' {
  return time === 'forever' ? time : new Date(time)
}

function shown(value: unknown): string {
  if (value === null) return '-'
  return value instanceof Date ? value.toISOString() : String(value)
}
