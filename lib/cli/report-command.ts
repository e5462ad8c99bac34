import { type ShownOverview, shownOverview } from '../text/shown-overview.js'
import { withApp } from './app.js'
import type { Command } from './command.js'
import { progress } from './progress.js'

/** `report`: how many have a second step. */
export const report: Command = {
  summary: 'Tells how many users have a second step.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep, with \`users\`
--json         prints the result as JSON, as GET / of the admin router answers
Reads every user of \`users.list\`, or else every record. A dash: nobody can know it.`,
  options: ['config', 'json'],
  run: async (values) => {
    const told = progress('Counted')
    return withApp(values, async ({ site }) => {
      const { overview } = site
      if (overview === null) {
        return { ok: false, text: 'The config has no `users` to count.', json: null }
      }
      const policy = await site.administration.policy()
      told.begin(null)
      let met = 0
      const counted = await overview
        .whole(policy, (users) => {
          for (; met < users; met += 1) told.step()
        })
        .finally(told.end)
      const json = shownOverview(counted, site.roles, counted.at)
      return { ok: true, text: textOf(json), json }
    })
  },
}

type Line = readonly [name: string, value: number | null]

function textOf(shown: ShownOverview): string {
  const { known, enrolled, states, factors, roles, inGrace, days } = shown
  const { fewBackupCodes, unsavedBackupCodes } = shown
  const lines: readonly Line[] = [
    ['users', known],
    ['have a second step', enrolled],
    ...Object.entries(states),
    ['in days of grace', inGrace],
    ['three backup codes or fewer', fewBackupCodes],
    ['backup codes not saved', unsavedBackupCodes],
    ...Object.entries(factors),
    ...Object.entries(roles).flatMap(([name, role]): Line[] => [
      [`role ${name}`, role.known],
      [`role ${name}, with a second step`, role.enrolled],
    ]),
    ...([7, 30] as const).flatMap((last): Line[] => [
      [`set up in ${last} days`, sumOf(days.slice(-last).map((day) => day.enrolled))],
      [`accepted codes in ${last} days`, sumOf(days.slice(-last).map((day) => day.accepted))],
      [`wrong codes in ${last} days`, sumOf(days.slice(-last).map((day) => day.wrong))],
    ]),
  ]
  return lines.map(([name, value]) => `${name}: ${value ?? '-'}`).join('\n')
}

function sumOf(counts: readonly (number | null)[]): number | null {
  return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0)
}
