import type { AuditEntry } from '../../ports/audit-log.js'
import { noCircle } from '../../service/page-by-page.js'
import { type ShownEvent, shownEvent } from '../../text/shown-event.js'
import type { Exchange } from '../request/handler.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { type DownloadType, download } from './download.js'
import { presentAdmin, wholeAdminOrProblem } from './requirements.js'

const COLUMNS = [
  ...(['id', 'at', 'type', 'actor', 'actorId', 'user', 'method'] as const),
  ...(['ip', 'userAgent', 'reason', 'detail'] as const),
]

interface Page {
  readonly entries: readonly AuditEntry[]
  readonly next: string | null
}

/** @param pageFrom the page that begins at a cursor of these pages; null: it does not know the cursor */
export function downloadEvents(
  exchange: Exchange<SignedInVisitor>,
  type: DownloadType,
  first: Page,
  pageFrom: (cursor: string) => Promise<Page | null>,
): Promise<void> {
  const file = { name: 'events', columns: COLUMNS, cells: cellsOf }
  return download(exchange, type, file, shownPages(exchange, first, pageFrom))
}

function cellsOf({ actor, detail, ...event }: ShownEvent) {
  return {
    ...event,
    ...{ actor: actor.kind, actorId: actor.id },
    detail: detail === null ? null : JSON.stringify(detail),
  }
}

/** Looks at the admin again before each page, as the download of users does. */
async function* shownPages(
  exchange: Exchange<SignedInVisitor>,
  first: Page,
  pageFrom: (cursor: string) => Promise<Page | null>,
): AsyncGenerator<readonly ShownEvent[]> {
  const pass = noCircle(() => new Error('a download was cut off: the audit log goes in a circle'))
  let page = first
  for (;;) {
    yield page.entries.map((entry) => shownEvent(exchange.site, entry))
    const next = pass(page.next)
    if (next === null) return
    const admin = await presentAdmin(exchange)
    const problem = 'code' in admin ? admin : wholeAdminOrProblem(admin)
    if (problem !== null)
      throw new Error(`a download was cut off, because its admin is now: ${problem.code}`)
    const following = await pageFrom(next)
    if (following === null)
      throw new Error('a download was cut off, because the audit log did not know its own cursor')
    page = following
  }
}
