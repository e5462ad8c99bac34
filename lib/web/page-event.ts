import type { AuditEntry } from '../ports/audit-log.js'
import { browserName } from './browser-name.js'
import type { PageEvent } from './pages.js'
import { PROBLEM_STATUS } from './problem.js'
import { hasText, shownEvent } from './shown-event.js'
import type { Site } from './site.js'

/** An entry of the audit log as pages tell it. */
export function pageEvent(site: Pick<Site, 'hostIdOf'>, entry: AuditEntry): PageEvent {
  const { at, type, actor, user, ip, userAgent, reason, detail } = shownEvent(site, entry)
  const { until, code } = (detail ?? {}) as { until?: unknown; code?: unknown }
  const { browser, system } = browserName(userAgent)
  const from = [ip, browser, system].filter((part) => part !== null)
  return {
    at,
    type,
    hasText: hasText(type),
    actor,
    user,
    from: from.join(' · '),
    reason,
    until: isMoment(until) ? until : null,
    refusal: typeof code === 'string' && Object.hasOwn(PROBLEM_STATUS, code) ? code : null,
  }
}

function isMoment(until: unknown): until is string {
  if (typeof until !== 'string') return false
  return until === 'forever' || !Number.isNaN(Date.parse(until))
}
