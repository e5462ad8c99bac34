import type { Actor, SecondStepEvent } from '../../lib/domain/event.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { DAY_MS, HOUR_MS } from '../../lib/domain/units.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import type { Random } from '../fleet/random.js'
import { BOUND_ROLE, type DemoPerson } from './people.js'

const DAYS = 30
const ATTEMPTS_A_DAY = 200
const CHANGES_A_DAY = 3

const REASONS = {
  reset: [
    'Lost the phone, identified by video call',
    'Phone stolen on the train, police report seen',
    'New phone, the old one was wiped',
    'Ticket 4711: came to the desk with an ID card',
  ],
  paused: ['Phone in repair until Friday', 'On a site without phones'],
  'one-time-code-made': ['Forgot the phone at home', 'Called back on the number in the staff list'],
} as const

const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
] as const

/** What has happened in the last 30 days. */
export function makeLog(
  people: readonly DemoPerson[],
  records: ReadonlyMap<string, SecondStepRecord>,
  random: Random,
  now: number,
): readonly AuditEntry[] {
  const users = people.filter(({ user }) => !user.id.startsWith('demo-'))
  const having = users.filter(({ user }) => isEnrolled(records.get(user.id)))
  const admins = people.filter(({ user }) => user.roles.includes('admin'))
  const when = (day: number) => now - day * DAY_MS - random.below(10 * HOUR_MS)
  const own = (at: number, user: string, event: SecondStepEvent) =>
    entryOf({ at, user, event, actor: { kind: 'user', id: user } }, random)

  const attempts = Array.from({ length: DAYS }, (_, day) =>
    Array.from({ length: ATTEMPTS_A_DAY }, () => {
      const { id } = random.pick(having).user
      const method = 'totp'
      const type = random.happens(0.12) ? 'wrong-code' : 'code-accepted'
      return own(when(day), id, { type, method })
    }),
  )
  const setUps = [...records.values()].flatMap(({ userId, authenticators: [first] }) =>
    first === undefined || first.since < now - DAYS * DAY_MS
      ? []
      : [own(first.since, userId, { type: 'enrolled', method: null })],
  )
  const changes = Array.from({ length: DAYS }, (_, day) =>
    Array.from({ length: CHANGES_A_DAY }, () => {
      const type = random.pick(['reset', 'reset', 'paused', 'one-time-code-made'] as const)
      const [at, actor] = [when(day), random.pick(admins).user.id]
      const [user, reason] = [random.pick(users).user.id, random.pick(REASONS[type])]
      const event = changeOf(type, at)
      return entryOf({ at, user, event, reason, actor: { kind: 'admin', id: actor } }, random)
    }),
  )
  const policy = [25, 11, 2].map((day, nth) => {
    const [at, actor] = [when(day), random.pick(admins).user.id]
    return entryOf(
      { at, user: null, event: policyEvent(nth), actor: { kind: 'admin', id: actor } },
      random,
    )
  })
  return [...attempts.flat(), ...setUps, ...changes.flat(), ...policy]
}

function isEnrolled(record: SecondStepRecord | undefined): boolean {
  return record !== undefined && record.authenticators.length > 0
}

function changeOf(type: keyof typeof REASONS, at: number): SecondStepEvent {
  if (type === 'reset') return { type, method: null }
  if (type === 'paused') return { type, method: null, detail: { until: new Date(at + 7 * DAY_MS) } }
  return { type, method: null, detail: { expiresAt: new Date(at + DAY_MS) } }
}

function policyEvent(nth: number): SecondStepEvent {
  const both = { admin: 'required', [BOUND_ROLE]: 'required' }
  const details = [
    { changed: { roles: { admin: 'required' } }, before: { roles: {} } },
    { changed: { roles: both }, before: { roles: { admin: 'required' } } },
  ]
  const detail = details[nth] ?? { changed: { graceDays: 14 }, before: { graceDays: 7 } }
  return { type: 'policy-changed', method: null, detail }
}

interface Happened {
  readonly at: number
  readonly user: string | null
  readonly actor: Actor
  readonly event: SecondStepEvent
  readonly reason?: string
}

function entryOf({ at, user, actor, event, reason }: Happened, random: Random): AuditEntry {
  const chance = Array.from({ length: 16 }, () => random.below(16).toString(16)).join('')
  const { type, method, detail = null } = event
  return {
    id: `${at.toString(16).padStart(12, '0')}00${chance}`,
    ...{ at, type, actor, user, method, detail, reason: reason ?? null },
    ip: `192.0.2.${random.between(1, 254)}`,
    userAgent: random.pick(BROWSERS),
  }
}
