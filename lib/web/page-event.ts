import type { AuditEntry } from '../ports/audit-log.js'
import { browserName } from './browser-name.js'
import type { PageEvent } from './pages.js'
import { hasText, shownEvent } from './shown-event.js'
import type { Site } from './site.js'

/** An entry of the audit log as pages tell it. */
export function pageEvent(site: Pick<Site, 'hostIdOf'>, entry: AuditEntry): PageEvent {
  const { at, type, actor, user, ip, userAgent, reason } = shownEvent(site, entry)
  const { browser, system } = browserName(userAgent)
  const from = [ip, browser, system].filter((part) => part !== null)
  return { at, type, hasText: hasText(type), actor, user, from: from.join(' · '), reason }
}
