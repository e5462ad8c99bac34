import { USER_FILTERS } from '../domain/groups.js'
import type { MemberPage } from '../service/directory.js'
import type { ListedMember } from '../service/member.js'
import { type ShownUser, shownUser } from '../text/shown-user.js'
import { readCursor, writeCursor } from '../web/admin/cursor.js'
import { withApp } from './app.js'
import { UsageError } from './arguments.js'
import type { Command } from './command.js'
import { oneOf, wholeNumber } from './refusals.js'

const LIMIT = '20'

/** `users`: lists users, as admins see them. */
export const users: Command = {
  summary: 'Lists users and how their second step is.',
  usage: '--config FILE [--search TEXT] [--state STATE] [--limit N] [--cursor CURSOR]',
  help: `--config FILE    the options of createSecondStep, with \`users\`
--search TEXT    an id, a serial number or, with \`users.list\`, a name or an address
--state STATE    only ${USER_FILTERS.join(', ')}
--limit N        1 to 100; default: ${LIMIT}
--cursor CURSOR  the next ones, as the page before says
--json           prints the result as JSON, as GET /users of the admin router answers, and \`problems\``,
  options: ['config', 'search', 'state', 'limit', 'cursor', 'json'],
  run: async (values) => {
    const limit = wholeNumber('limit', values.limit ?? LIMIT, 1, 100)
    const state = values.state === undefined ? null : oneOf('state', values.state, USER_FILTERS)
    const search = values.search?.trim() ?? ''
    const from = values.cursor === undefined ? null : readCursor({ search, state }, values.cursor)
    if (from === undefined) throw new UsageError(UNKNOWN_CURSOR)
    return withApp(values, async ({ site }) => {
      const { directory } = site
      if (directory === null) {
        return { ok: false, text: 'The config has no `users` to list.', json: null }
      }
      const query = { search, state, from, limit }
      const found = await directory.page(query, await site.administration.policy())
      if (found === null) throw new UsageError(UNKNOWN_CURSOR)
      const shown = found.members.map(shownUser)
      const next = writeCursor(query, found.next)
      const problems = problemsOf(found)
      const lines = [...shown.map(textOf), ...problems]
      if (next !== null) lines.push(`There are more: --cursor ${next}`)
      const text = lines.length === 0 ? 'No users found.' : lines.join('\n')
      return { ok: problems.length === 0, text, json: { users: shown, next, problems } }
    })
  },
}

const UNKNOWN_CURSOR = '--cursor is none that a page of this search has given.'

/** What the list does not have, or has wrongly. */
function problemsOf({ members, lost, lostLists, odd }: MemberPage): readonly string[] {
  const nameless = odd.filter(({ id }) => id === null).length
  return [
    ...members.flatMap((member) => problemOf(member) ?? []),
    ...lost.map((record) => `${record} is damaged or lost.`),
    ...lostLists,
    ...(nameless === 0 ? [] : [`Users without an id, who are missing: ${nameless}.`]),
  ]
}

function problemOf({ hostId, unreadable }: ListedMember): string | null {
  const id = JSON.stringify(hostId)
  if (unreadable === 'record') return `The record of ${id} is damaged.`
  return unreadable === 'user' ? `\`users\` describes ${id} wrongly.` : null
}

/** On one line, whatever a name holds. */
function textOf({ id, state, ...more }: ShownUser): string {
  const known = Object.entries(more).filter(([, value]) => value !== null)
  const told = known.map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [JSON.stringify(id), state, ...told].join('  ')
}
