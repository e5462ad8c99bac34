import { ADMIN_ACTION_NAMES } from '../domain/admin-actions.js'
import type { AdminVerdict } from '../domain/administration.js'
import { AUTHENTICATOR_TYPES } from '../factors/factors.js'
import type { AuditEntry } from '../ports/audit-log.js'
import { browserName } from './browser-name.js'
import type { PageEvent } from './pages.js'
import { policyLines } from './policy-lines.js'
import type { ProblemCode } from './problem.js'
import { type HostIds, hasText, shownEvent } from './shown-event.js'

/** The reasons for a refused change that have a text: `refusal.<code>`. */
export const REFUSALS = [
  'malformed-request',
  'forbidden',
  'fresh-code-required',
  'setup-required',
  'sign-in-again',
  'not-found',
  'not-enrolled',
  'required-by-policy',
  'switched-off',
  'stronger-factor-required',
  'serial-in-use',
  'seed-in-use',
  // Both say it: the first of the command line, the other of the admin pages.
  'no-room',
  'already-enrolled',
] as const satisfies readonly (ProblemCode | AdminVerdict)[]

/** An entry of the audit log as pages show it. */
export function pageEvent(site: HostIds, entry: AuditEntry): PageEvent {
  const { at, type, actor, user, method, ip, userAgent, reason, detail } = shownEvent(site, entry)
  const {
    until,
    code,
    action,
    name,
    serial,
    browser: trusted,
  } = (detail ?? {}) as Record<string, unknown>
  const refused = type === 'change-refused'
  const { browser, system } = browserName(userAgent)
  const device = [name, serial, trusted].find((text) => typeof text === 'string') ?? null
  const from = [ip, browser, system].filter((part) => part !== null)
  return {
    at,
    type,
    hasText: hasText(type),
    actor,
    user,
    from: from.join(' · '),
    reason,
    device,
    deviceType: device === null && name !== undefined ? typeOf(method) : null,
    until: isMoment(until) ? until : null,
    ...(type === 'policy-changed' ? { policy: policyLines(detail) } : {}),
    change: refused ? (ADMIN_ACTION_NAMES.find((known) => known === action) ?? null) : null,
    refusal:
      refused && !isOfDevice(action, code)
        ? (REFUSALS.find((known) => known === code) ?? null)
        : null,
  }
}

/** What was not found is the device: the text is about the user. */
function isOfDevice(action: unknown, code: unknown): boolean {
  return action === 'remove-authenticator' && code === 'not-found'
}

function typeOf(method: string | null) {
  return AUTHENTICATOR_TYPES.find((type) => type === method) ?? null
}

function isMoment(until: unknown): until is string {
  if (typeof until !== 'string') return false
  return until === 'forever' || !Number.isNaN(Date.parse(until))
}
