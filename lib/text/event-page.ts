import type { AuditEntry } from '../ports/audit-log.js'
import { type FoldedEntry, foldedEntries } from './folded-events.js'
import { pageEvent } from './page-event.js'
import type { PageData, PageEvent } from './pages.js'
import { type HostIds, shownEvent } from './shown-event.js'

/** The names of users by their ids in the records. */
export type Names = ReadonlyMap<string, string>

/** Entries as the page of events lists them. `folded`: the attempts of one login are one line. */
export function linesOf(
  site: HostIds,
  entries: readonly AuditEntry[],
  names: Names,
  folded: boolean,
): readonly PageEvent[] {
  const lines = folded ? foldedEntries(entries) : entries.map((entry) => ({ entry, before: [] }))
  return lines.map((line: FoldedEntry) => ({
    ...named(site, line.entry, names),
    wrongCodesBefore: line.before.length,
  }))
}

/** What the page of one event shows. */
export function onePage(site: HostIds, entry: AuditEntry, names: Names): PageData['admin-event'] {
  const { id, method, ip, userAgent } = shownEvent(site, entry)
  return { event: named(site, entry, names), id, method, ip, userAgent }
}

function named(site: HostIds, entry: AuditEntry, names: Names): PageEvent {
  const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? null))
  return {
    ...pageEvent(site, entry),
    id: entry.id,
    userName: nameOf(entry.user),
    actorName: nameOf(entry.actor.id),
  }
}
