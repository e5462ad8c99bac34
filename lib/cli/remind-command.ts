import { withApp } from './app.js'
import type { Command } from './command.js'

const NOBODY =
  'The config reminds nobody: it needs `users`, `mail`, and `counters` (or a store that has some), and no `reminders: false`.'

/** `remind`: what an app does by itself once an hour, for those that run for no hour. */
export const remind: Command = {
  summary: 'Mails users whose days to set up a second step end soon.',
  usage: '--config FILE [--dry-run]',
  help: `--config FILE  the options of createSecondStep
--dry-run      counts them, and mails nothing
--json         prints the result as JSON
Each user is mailed once for each day of the option "reminders". A running app does this once an hour.`,
  options: ['config', 'dry-run', 'json'],
  run: async (values) =>
    withApp(values, async ({ reminders }) => {
      if (reminders === null) return { ok: false, text: NOBODY, json: null }
      const dry = values['dry-run'] === true
      const found = await reminders.remind(dry)
      const text = [`${dry ? 'Users to remind' : 'Users reminded'}: ${found.reminded}.`]
      if (found.unreadable > 0) text.push(`Users who could not be read: ${found.unreadable}.`)
      return { ok: true, text: text.join('\n'), json: { dryRun: dry, ...found } }
    }),
}
