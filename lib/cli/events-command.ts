import type { AuditEntry } from '../ports/audit-log.js'
import { type App, withApp } from './app.js'
import { UsageError } from './arguments.js'
import type { Command } from './command.js'
import { wholeNumber } from './refusals.js'

const LIMIT = '20'

/** `events`: lists the audit log, newest first. */
export const events: Command = {
  summary: 'Lists what happened, newest first.',
  usage: '--config FILE [--user ID] [--limit N] [--cursor CURSOR]',
  help: `--config FILE    the options of createSecondStep
--user ID        about this user only
--limit N        1 to 100; default: ${LIMIT}
--cursor CURSOR  the older ones, as the page before says
--json           prints the result as JSON`,
  options: ['config', 'user', 'limit', 'cursor', 'json'],
  run: async (values) => {
    const limit = wholeNumber('limit', values.limit ?? LIMIT, 1, 100)
    return withApp(values, async (app) => {
      const user = values.user === undefined ? null : app.checked.recordId(values.user)
      const cursor = values.cursor ?? null
      const page = await app.site.audit.page({ user, cursor, limit })
      if (page === null) throw new UsageError('--cursor is none that a page has given.')
      const { next } = page
      const shown = page.entries.map((entry) => shownEntry(app, entry))
      const lines = shown.map(textOf)
      if (next !== null) lines.push(`There are older ones: --cursor ${next}`)
      const text = lines.length === 0 ? 'Nothing has happened.' : lines.join('\n')
      return { ok: true, text, json: { events: shown, next } }
    })
  },
}

type ShownEntry = ReturnType<typeof shownEntry>

function shownEntry({ checked }: App, { at, user, actor, ...entry }: AuditEntry) {
  const { hostId, recordId } = checked
  // An audit log may be shared with another realm, whose users are not this app's.
  const shown = (id: string | null) =>
    id !== null && recordId(hostId(id)) === id ? hostId(id) : id
  const who = { ...actor, id: shown(actor.id) }
  return { ...entry, at: new Date(at).toISOString(), user: shown(user), actor: who }
}

/** On one line, whatever an id or a reason holds. */
function textOf({ at, type, user, actor, ip, reason, detail }: ShownEntry): string {
  const parts = { user, actor: actor.kind, by: actor.id, ip, reason, detail }
  const told = Object.entries(parts).filter(([, value]) => value !== null)
  return [at, type, ...told.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join('  ')
}
