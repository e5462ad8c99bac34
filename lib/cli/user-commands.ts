import { FOREVER } from '../domain/pause.js'
import { userOf, withApp } from './app.js'
import type { Values } from './arguments.js'
import { CONFIG, changing, JSON_LINE, nobody, shown, USER, userIn } from './changing.js'
import type { Command } from './command.js'
import { required, wholeNumber } from './refusals.js'

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
  isFinal: true,
  act: (app, change) => app.site.administration.reset(change),
})

/** `disable`: back to the first step alone. */
export const disable = changing('disable', {
  summary: 'Turns the second step of a user off.',
  help: 'Authenticator and codes are forgotten. Refused where the policy requires a second step.',
  isFinal: true,
  act: (app, change) => app.site.administration.disable(change),
})

/** `pause`: no code for some days. */
export const pause = changing('pause', {
  summary: 'Asks a user for no code for some days.',
  help: '--days N       whole days, 1 to 365\n--days forever until resumed\nAuthenticator and codes are kept.',
  usage: ' --days N|forever',
  options: ['days'],
  check: daysOf,
  act: (app, change, values) => app.site.administration.pause(change, daysOf(values)),
  told: ({ pausedUntil }) => {
    const until = shown(timeOf(pausedUntil))
    return { lines: [`Paused until: ${until}`], json: { pausedUntil: until } }
  },
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

/** `end-sessions`: signs a user out everywhere. */
export const endSessions = changing('end-sessions', {
  summary: 'Signs a user out everywhere.',
  help: 'Sessions, pending logins and trusted browsers end. The second step stays as it is.',
  act: (app, change) => app.site.administration.endSessions(change),
})

/** `one-time-code`: for one login, which sets up anew. */
export const oneTimeCode = changing('one-time-code', {
  summary: 'Makes a code for one login within 24 hours, which must set up anew.',
  help: 'Prints the code once. Give it to nobody but the user.',
  act: (app, change) => app.site.administration.makeOneTimeCode(change),
  told: ({ code, expiresAt }) => {
    const until = shown(new Date(expiresAt))
    return { lines: [code, `Good until: ${until}`], json: { code, expiresAt: until } }
  },
})

/** `backup-codes`: a new set. */
export const backupCodes = changing('backup-codes', {
  summary: 'Makes new backup codes for a user.',
  help: 'Prints them once. All earlier ones stop working.',
  isFinal: true,
  act: (app, change) => app.site.administration.makeBackupCodes(change),
  told: (codes) => ({ lines: codes, json: { backupCodes: codes } }),
})

function daysOf({ days }: Values): number | 'forever' {
  const given = required(days, 'No days: give --days N or --days forever.')
  return given === 'forever' ? given : wholeNumber('days', given, 1, 365)
}

function timeOf(time: number): Date | 'forever' {
  return time === FOREVER ? 'forever' : new Date(time)
}
