import { EVENT_TYPES } from '../domain/event-kind.js'
import type { AuditEntry } from '../ports/audit-log.js'
import type { AuditFilters } from '../service/audit-search.js'
import { eventPage } from '../service/event-pages.js'
import { isoTime, readSpan, type Span } from '../text/iso-time.js'
import { type App, withApp } from './app.js'
import { UsageError, type Values } from './arguments.js'
import type { Command } from './command.js'
import { oneOf, wholeNumber } from './refusals.js'

const LIMIT = '20'

/** `events`: lists the audit log, newest first. */
export const events: Command = {
  summary: 'Lists what happened, newest first.',
  usage:
    '--config FILE [--user ID] [--actor ID] [--type TYPE] [--from TIME] [--to TIME] [--limit N] [--cursor CURSOR]',
  help: `--config FILE    the options of createSecondStep
--user ID        about this user only
--actor ID       done by this user or admin only
--type TYPE      of this type only, such as reset
--from TIME      not before: a day (2026-01-31, UTC) or a time (2026-01-31T12:00Z)
--to TIME        not after: the same
--limit N        1 to 100; default: ${LIMIT}
--cursor CURSOR  the older ones, as the page before says
--json           prints the result as JSON`,
  options: ['config', 'user', 'actor', 'type', 'from', 'to', 'limit', 'cursor', 'json'],
  run: async (values) => {
    const limit = wholeNumber('limit', values.limit ?? LIMIT, 1, 100)
    const filters = filtersOf(values)
    return withApp(values, async (app) => {
      const recordId = (id: string | undefined) =>
        id === undefined ? null : app.checked.recordId(id)
      const people = { user: recordId(values.user), actor: recordId(values.actor) }
      const query = { filters: { ...filters, ...people }, cursor: values.cursor ?? null, limit }
      const page = await eventPage(app.site.audit, query, (entry) => entry)
      if (page === null) throw new UsageError('--cursor is none that a page has given.')
      const { next, reached } = page
      const shown = page.entries.map((entry) => shownEntry(app, entry))
      const lines = shown.map(textOf)
      if (reached !== null) lines.push(`Looked through back to ${isoTime(reached)}.`)
      if (next !== null) lines.push(`There are older ones: --cursor ${next}`)
      const text = lines.length === 0 ? 'No such events.' : lines.join('\n')
      return { ok: true, text, json: { events: shown, next } }
    })
  },
}

function filtersOf({ type, ...times }: Values): Omit<AuditFilters, 'user' | 'actor'> {
  const from = spanOf('from', times.from)?.first ?? null
  const to = spanOf('to', times.to)?.last ?? null
  if (from !== null && to !== null && from > to) throw new UsageError('--to is before --from.')
  return { type: type === undefined ? null : oneOf('type', type, EVENT_TYPES), from, to }
}

function spanOf(name: 'from' | 'to', text: string | undefined): Span | null {
  if (text === undefined) return null
  const span = readSpan(text)
  if (span !== undefined) return span
  throw new UsageError(
    `--${name} must be a day, such as 2026-01-31, or a time, such as 2026-01-31T12:00Z.`,
  )
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
