import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { noCounts } from '../../lib/domain/overview.js'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import type { Counted } from '../../lib/service/overview.js'
import type { PolicyCount } from '../../lib/service/policy-count.js'
import { ejsPages } from '../../lib/text/ejs-pages.js'
import { loadMessages } from '../../lib/text/messages.js'
import { overviewPage } from '../../lib/text/overview-page.js'
import type { PageData, PageEvent, PageFrame, PageName } from '../../lib/text/pages.js'
import { shownOverview } from '../../lib/text/shown-overview.js'
import { userCounts } from '../../lib/text/user-counts.js'
import { ejsViews } from '../../lib/text/views.js'
import { qrSvg } from '../../lib/web/user/qr.js'

const HOSTILE = `<script>alert("1'")</script>&lt;\u202e👾`
const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))
const { t } = loadMessages().for(['en'])

const frame: PageFrame = {
  t,
  lang: 'en',
  dir: 'ltr',
  time: (time: Date) => time.toISOString(),
  base: '/second-step',
  admin: '/admin/second-step',
  userPath: (id) => `/admin/second-step/users/${id}`,
  issuer: 'Acme',
  formFields: { _csrf: 'token-of-the-host', other: 'field' },
  signIn: '/login',
  signedIn: '/home',
}

const wrongCode = { code: 'wrong-code', detail: t('problem.wrong-code') }
const clockOff = { ...wrongCode, clockOff: -170 }
const noon = new Date('2026-01-05T12:03:25Z')
const challenge = {
  problem: null,
  resetPending: null,
  backupCode: true,
  lost: false,
  trust: null,
  clock: null,
}
const setup = {
  problem: null,
  purpose: 'setup' as const,
  account: 'anna@example.test',
  issuer: 'Acme',
  key: 'JBSW Y3DP EHPK 3PXP',
  uri: 'otpauth://totp/Acme:anna?secret=JBSWY3DPEHPK3PXP&issuer=Acme',
  qr: await qrSvg('otpauth://totp/x'),
  cancel: true,
  clock: null,
}
const setupKey = {
  problem: null,
  purpose: 'setup' as const,
  name: '',
  otherTypes: ['totp' as const, 'hotp' as const],
  cancel: true,
}
const wrongName = { code: 'malformed-request', detail: t('device.name-wrong'), field: 'name' }
const codes = ['AAAAAA-BBBBBB-CCCCCC-DDDDDD', 'EEEEEE-FFFFFF-GGGGGG-HHHHHH']
const made = {
  problem: null,
  codes,
  madeAt: new Date(0),
  sessionsEnded: false,
  next: '/account',
}
const settings: PageData['settings'] = {
  problem: null,
  enrolled: true,
  method: 'totp',
  since: '2025-03-04T12:00:00.000Z',
  backupCodesLeft: 10,
  backupCodesSaved: true,
  canDisable: true,
  setupDeadline: null,
  pausedUntil: null,
  backupCodes: true,
  showKey: true,
  action: null,
  noMail: false,
  resetPending: null,
  notice: null,
  events: [],
  next: '/account',
}
const ofDevice: PageData['challenge'] = { ...challenge, source: 'device', resync: true }
const settingsOfDevice: PageData['settings'] = {
  ...settings,
  method: 'hotp',
  source: 'device',
  hardware: true,
  resync: true,
  showKey: false,
}
const notEnrolled = {
  ...settings,
  enrolled: false,
  method: null,
  since: null,
  backupCodesLeft: 0,
  canDisable: false,
}

const lostLink = {
  problem: null,
  facts: [{ label: 'IP', value: '192.0.2.7' }],
  canReset: true,
  availableAt: null,
  action: '/second-step/lost/token',
}
const event: PageEvent = {
  at: '2026-01-05T12:03:25.000Z',
  type: 'paused',
  hasText: true,
  actor: { kind: 'admin', id: 'ada' },
  user: 'ann',
  from: '203.0.113.7 · Firefox · Linux',
  reason: 'lost the phone',
  until: 'forever',
  refusal: null,
}
const events: readonly PageEvent[] = [
  event,
  { ...event, type: 'of-another-version', hasText: false, reason: null, from: '' },
  { ...event, actor: { kind: 'user', id: 'ann' }, until: '2026-02-05T12:00:00.000Z' },
  { ...event, type: 'change-refused', until: null, refusal: 'forbidden' },
  {
    ...event,
    type: 'policy-changed',
    actor: { kind: 'operator', id: null },
    user: null,
    policy: [{ setting: 'roles', role: 'user', now: 'required', before: null }],
  },
]
const shownUser: PageData['admin-user']['user'] = {
  id: 'ann',
  name: 'Ann',
  email: 'ann@acme.example',
  state: 'on',
  since: '2025-03-04T12:00:00.000Z',
  backupCodesLeft: 10,
  pausedUntil: null,
  lockedUntil: null,
  setupDeadline: null,
}
const adminUsers: PageData['admin-users'] = {
  problem: null,
  search: 'an',
  state: 'on',
  states: ['on', 'off', 'must-set-up', 'paused', 'locked'],
  groups: ['late', 'in-grace', 'few-backup-codes', 'unsaved-backup-codes'],
  searchable: true,
  users: [
    { ...shownUser, backupCodesKey: 'older' },
    { ...shownUser, id: 'a/b', name: null, email: null, state: 'must-set-up', late: true },
    { ...shownUser, id: 'c', unreadable: true },
  ],
  lost: 2,
  more: '/admin/second-step/users?cursor=x&search=an',
}
const FORMS = [
  ...(['resume', 'unlock', 'one-time-code', 'backup-codes', 'token'] as const),
  ...(['remind', 'pause', 'pause-forever'] as const),
  ...(['reset', 'disable', 'end-sessions', 'note'] as const),
]
const adminUser: PageData['admin-user'] = {
  problem: null,
  form: null,
  typed: { reason: '', days: '' },
  user: shownUser,
  noMail: false,
  self: false,
  stale: false,
  forms: FORMS,
  notice: null,
  events,
  back: '/admin/second-step/users/ann',
}
const adminAction = (forms: PageData['admin-action']['forms']): PageData['admin-action'] => ({
  problem: null,
  form: null,
  user: shownUser,
  forms,
  effects: [
    { key: 'admin.effect.devices', count: 2 },
    { key: 'admin.effect.set-up-by', at: event.at },
  ],
  noMail: true,
  stale: true,
  back: '/admin/second-step/users/ann',
})
const adminBulk: PageData['admin-bulk'] = {
  problem: null,
  action: 'reset',
  ids: ['ann', 'a/b', 'c'],
  named: [
    { id: 'ann', name: 'Ann', email: null },
    { id: 'b', name: null, email: '<b>', asked: false },
  ],
  typed: { reason: '', days: '' },
  back: '/admin/second-step/users',
}
const adminReport: NonNullable<PageData['admin-users']['report']> = {
  action: 'pause',
  at: '2026-01-05T12:00:00.000Z',
  left: true,
  done: 2,
  refused: 2,
  some: [
    { id: 'a/b', why: 'refusal.not-enrolled' },
    { id: '<b>', why: 'problem.too-many-attempts' },
  ],
}
const adminCodes: PageData['admin-codes'] = {
  problem: null,
  kind: 'backup-codes',
  codes,
  madeAt: new Date(0),
  until: null,
  id: 'ann',
  name: 'Ann',
  email: null,
  back: '/admin/second-step/users/ann',
}
const policyPreview: PageData['admin-policy-preview'] & { readonly count: PolicyCount } = {
  problem: null,
  again: false,
  changes: [
    { setting: 'mode', role: null, now: 'required', before: 'optional' },
    { setting: 'roles', role: 'user', now: null, before: 'off' },
    { setting: 'accepts', role: 'admin', now: ['webauthn', 'totp'], before: null },
    { setting: 'graceDays', role: null, now: 3, before: undefined },
    { setting: 'backupCodes', role: null, now: false, before: true },
  ],
  count: {
    known: 503,
    concerned: 500,
    admins: 4,
    adminsConcerned: 2,
    adminsNow: 2,
    of: { 'setup-now': 2, 'setup-later': 435, code: 1, nothing: 62 },
    pauses: { count: 3, forever: 1, last: Date.UTC(2026, 2, 1) },
    roles: { user: { known: 499, concerned: 435 } },
    unreadable: 1,
    whole: true,
    listed: true,
  },
  fields: [['mode', 'required']],
  back: '/admin/second-step/policy',
}
const adminPolicy: PageData['admin-policy'] = {
  problem: null,
  policy: {
    mode: 'optional',
    roles: { staff: 'required' },
    accepts: { staff: ['totp'] },
    graceDays: 7,
    codeAttempts: 5,
    passwordAttempts: 10,
    backupCodes: true,
    updatedAt: '2026-01-05T12:03:25.000Z',
    updatedBy: 'ada',
  },
  typed: {
    mode: 'optional',
    graceDays: '7',
    'roles[staff]': 'required',
    'accepts[staff]': 'totp hotp',
    backupCodes: 'true',
  },
  modes: ['off', 'optional', 'required'],
  methods: ['totp', 'hotp', 'backup-code'],
  roles: ['user', 'staff'],
  stale: false,
  notice: false,
  back: '/admin/second-step/policy',
}
const adminEvents: PageData['admin-events'] = {
  problem: null,
  user: 'ann',
  events,
  more: '/admin/second-step/events?cursor=x',
}
const everyEvent: PageData['admin-events'] = {
  ...adminEvents,
  ...{ actor: 'ada', type: 'reset', from: '2026-01-01', to: '2026-01-31T12:00Z' },
  types: ['reset', 'wrong-code'],
  events: events.map((one) => ({
    ...one,
    ...{ id: 'a', userName: 'Ann', actorName: 'Ada', wrongCodesBefore: one.user === null ? 0 : 2 },
  })),
  reached: '2026-01-02T12:00:00.000Z',
  previous: '/admin/second-step/events?cursor=y',
  first: '/admin/second-step/events',
  downloads: [{ format: 'csv', path: '?format=csv' }],
}
const oneEvent: PageData['admin-event'] = {
  ...{ event, id: 'a', method: 'totp', ip: '192.0.2.1', userAgent: 'a browser' },
}
const days = Array.from({ length: 30 }, (_, at) => ({
  date: `2026-01-${String(at + 1).padStart(2, '0')}`,
  ...{ enrolled: at % 3, accepted: at, wrong: at % 5 },
}))
const counts = noCounts(['user', 'staff'])
const adminOverview = (counted: Counted | null, soFar: number | null) =>
  overviewPage({ counted, soFar }, shownOverview(counted, ['user', 'staff'], 0))
const ofAll: Counted = {
  at: Date.UTC(2026, 0, 30, 12),
  isOfAll: true,
  counts: {
    ...{ ...counts, users: 1_000_000, inGrace: 3, setUp: days.map(({ enrolled }) => enrolled) },
    states: { on: 437, off: 3, 'must-set-up': 2, paused: 1, locked: 0 },
    late: 4,
    graceEnds: { first: Date.UTC(2026, 1, 1), last: Date.UTC(2026, 1, 7) },
    pauses: { count: 1, forever: 1, last: Date.UTC(2026, 2, 1) },
  },
  attempts: days,
}
const malformed = { code: 'malformed-request', detail: t('problem.malformed-request') }

/** What the page of a user says after that: codes are told of on their own page, or too late. */
function noticeOf(form: Exclude<(typeof FORMS)[number], 'pause-forever'>) {
  if (form !== 'backup-codes' && form !== 'one-time-code') return { notice: form }
  return { codesMade: { kind: form, at: '2026-01-05T12:03:25.000Z' } }
}

type State = { [P in PageName]: readonly [string, P, PageData[P]] }[PageName]
const states: readonly State[] = [
  ['challenge', 'challenge', challenge],
  ['challenge, wrong code', 'challenge', { ...challenge, problem: wrongCode }],
  [
    'challenge, wrong backup code',
    'challenge',
    { ...challenge, problem: wrongCode, typedBackupCode: true },
  ],
  ['challenge, all offered', 'challenge', { ...challenge, lost: true, trust: 14 }],
  ['challenge, no backup codes', 'challenge', { ...challenge, backupCode: false }],
  ['challenge, two misses', 'challenge', { ...challenge, problem: wrongCode, clock: noon }],
  ['challenge, a reset waits', 'challenge', { ...challenge, lost: true, resetPending: noon }],
  [
    'challenge, nothing to type',
    'challenge',
    { ...challenge, app: false, backupCode: false, lost: true },
  ],
  ['challenge, a one-time code was made', 'challenge', { ...challenge, oneTimeCode: true }],
  [
    'challenge, a one-time code alone',
    'challenge',
    { ...challenge, backupCode: false, oneTimeCode: true, app: false, problem: wrongCode },
  ],
  ['challenge, a device alone', 'challenge', ofDevice],
  ['challenge, an app and a device', 'challenge', { ...ofDevice, source: 'several' }],
  ['challenge, wrong pair', 'challenge', { ...ofDevice, action: 'resync', problem: wrongCode }],
  ...['code', 'nextCode'].map((field): State => {
    const typed = { typed: '12345', typedNext: '6789' }
    const problem = { ...malformed, field }
    return [
      `challenge, malformed ${field} of a pair`,
      'challenge',
      { ...ofDevice, ...typed, action: 'resync', problem },
    ]
  }),
  ['challenge, a key alone', 'challenge', { ...challenge, app: false, keys: true }],
  ['challenge, a key and an app', 'challenge', { ...challenge, keys: true, trust: 14 }],
  ['set-up of a key', 'setup-key', setupKey],
  ['one more key', 'setup-key', { ...setupKey, purpose: 'add', cancel: false }],
  ['set-up of a key, wrong name', 'setup-key', { ...setupKey, problem: wrongName, name: 'W' }],
  ['fresh by a key', 'fresh', { problem: null, backupCode: true, app: false, keys: true }],
  ['set-up', 'setup', setup],
  ['set-up of a device', 'setup', { ...setup, type: 'hotp', otherTypes: ['totp'] }],
  ['set-up, wrong code', 'setup', { ...setup, problem: wrongCode, cancel: false }],
  ['set-up, wrong clock', 'setup', { ...setup, problem: clockOff, clock: noon }],
  ['change of key', 'setup', { ...setup, purpose: 'change-key', cancel: false }],
  ['the key once more', 'setup', { ...setup, purpose: 'show-key', cancel: false }],
  ['backup codes', 'backup-codes', made],
  ['backup codes after a change of key', 'backup-codes', { ...made, sessionsEnded: true }],
  ['backup codes switched off', 'backup-codes', { ...made, codes: [] }],
  ['fresh', 'fresh', { problem: null, backupCode: true }],
  [
    'fresh by a device',
    'fresh',
    { problem: null, backupCode: true, source: 'device', nextCodeIn: 9 },
  ],
  ['fresh, wrong code', 'fresh', { problem: wrongCode, backupCode: false }],
  ['settings', 'settings', settings],
  [
    'settings, trusted browsers',
    'settings',
    {
      ...settings,
      notice: 'browser-forgotten',
      trustedBrowsers: [true, false].map((current, index) => ({
        id: `browser-${index}`,
        name: current ? 'Firefox (Windows)' : null,
        createdAt: '2026-01-05T12:03:25.000Z',
        expiresAt: '2026-01-19T12:03:25.000Z',
        current,
      })),
    },
  ],
  ['settings, codes not saved', 'settings', { ...settings, backupCodesSaved: false }],
  ['settings, few codes left', 'settings', { ...settings, backupCodesLeft: 3 }],
  ['settings, no codes left', 'settings', { ...settings, backupCodesLeft: 0 }],
  ['settings, codes of an earlier key', 'settings', { ...settings, codesKey: 'older' }],
  [
    'settings, codes of a key that is gone',
    'settings',
    { ...settings, backupCodesLeft: 0, codesKey: 'gone' },
  ],
  ['settings, codes that an admin has seen', 'settings', { ...settings, codesSeen: true }],
  ['settings, backup codes switched off', 'settings', { ...settings, backupCodes: false }],
  ['settings, the key stays hidden', 'settings', { ...settings, showKey: false }],
  ['settings, required', 'settings', { ...settings, canDisable: false }],
  ...(['backup-codes', 'change-key', 'show-key', 'reset', 'disable'] as const).map(
    (action): State => [
      `settings, wrong code to ${action}`,
      'settings',
      { ...settings, action, problem: wrongCode },
    ],
  ),
  ['settings of a device', 'settings', settingsOfDevice],
  [
    'settings, wrong pair',
    'settings',
    { ...settingsOfDevice, action: 'resync', problem: wrongCode },
  ],
  ['settings, in step again', 'settings', { ...settingsOfDevice, notice: 'resynchronised' }],
  ['settings, not enrolled', 'settings', notEnrolled],
  ['settings, paused', 'settings', { ...settings, pausedUntil: '2026-01-05T12:03:25.000Z' }],
  ['settings, paused for ever', 'settings', { ...settings, pausedUntil: 'forever' }],
  ['settings, not in use', 'settings', { ...settings, asked: false }],
  ['settings, not enrolled and not in use', 'settings', { ...notEnrolled, asked: false }],
  ['settings, just disabled', 'settings', { ...notEnrolled, notice: 'disabled' }],
  ['settings, a reset waits', 'settings', { ...settings, resetPending: noon }],
  ['lost', 'lost', { problem: null, sent: false }],
  ['lost, no address', 'lost', { problem: wrongCode, sent: false }],
  ['lost, sent', 'lost', { problem: null, sent: true }],
  ['lost, sent, the next one later', 'lost', { problem: null, sent: true, nextAt: noon }],
  ['lost, held back', 'lost', { problem: null, sent: true, heldBack: true, nextAt: noon }],
  ['link', 'lost-link', lostLink],
  ['link that waits', 'lost-link', { ...lostLink, availableAt: noon }],
  ['link elsewhere', 'lost-link', { ...lostLink, canReset: false }],
  ['link elsewhere, pressed', 'lost-link', { ...lostLink, canReset: false, problem: wrongCode }],
  [
    'link that no rule lets reset',
    'lost-link',
    { ...lostLink, canReset: false, closed: true, problem: wrongCode },
  ],
  ['link cancelled', 'lost-cancelled', { problem: null }],
  ['settings, with what has happened', 'settings', { ...settings, events }],
  ['overview', 'admin-overview', adminOverview(ofAll, null)],
  ['overview, counting', 'admin-overview', adminOverview(null, 700)],
  ['overview, failed', 'admin-overview', adminOverview(null, null)],
  [
    'overview, of few',
    'admin-overview',
    adminOverview({ ...ofAll, isOfAll: false, attempts: null }, 10),
  ],
  ['users', 'admin-users', adminUsers],
  [
    'users, counted',
    'admin-users',
    {
      ...adminUsers,
      counts: userCounts(shownOverview(ofAll, ['user', 'staff'], 0), 4),
      countedAt: '2026-01-30T12:00:00.000Z',
    },
  ],
  [
    'users, nobody so far',
    'admin-users',
    { ...adminUsers, users: [], looked: 2500, downloads: [{ format: 'csv', path: '?format=csv' }] },
  ],
  [
    'users, of whom several can be changed',
    'admin-users',
    {
      ...adminUsers,
      users: [{ ...shownUser, actions: ['reset'] }],
      bulkActions: ['reset', 'pause'],
      report: adminReport,
    },
  ],
  [
    'users, after a change of one',
    'admin-users',
    { ...adminUsers, report: { ...adminReport, done: 1, refused: 0, some: [] } },
  ],
  ['several to reset', 'admin-bulk', adminBulk],
  [
    'several to pause, odd days',
    'admin-bulk',
    {
      ...adminBulk,
      action: 'pause',
      problem: { ...malformed, field: 'days' },
      typed: { reason: 'r', days: 'x' },
    },
  ],
  ['users, nobody', 'admin-users', { ...adminUsers, users: [], more: null, searchable: false }],
  ['users, an odd query', 'admin-users', { ...adminUsers, users: [], problem: malformed }],
  ['a user', 'admin-user', adminUser],
  ['a user with trusted browsers', 'admin-user', { ...adminUser, trustedBrowsers: 2 }],
  ['a user, without a fresh code', 'admin-user', { ...adminUser, stale: true, noMail: true }],
  [
    'a user, codes of a key that is gone',
    'admin-user',
    { ...adminUser, user: { ...shownUser, backupCodesLeft: 0, backupCodesKey: 'gone' } },
  ],
  ['a user, the admin themselves', 'admin-user', { ...adminUser, self: true, forms: [] }],
  ['a user, not to be touched', 'admin-user', { ...adminUser, forms: [], events: [] }],
  [
    'a user, paused until resumed',
    'admin-user',
    { ...adminUser, user: { ...shownUser, state: 'paused', pausedUntil: 'forever' } },
  ],
  [
    'a user, locked',
    'admin-user',
    { ...adminUser, user: { ...shownUser, state: 'locked', lockedUntil: event.at, name: null } },
  ],
  ...['secret', 'serial', 'counter', 'digits'].map((field): State => {
    const token = { type: 'hotp', serial: 'A-1 "<b>"', counter: '-1', digits: '5' }
    const typed = { reason: '', days: '', token }
    return [
      `a user, a token with a malformed ${field}`,
      'admin-user',
      { ...adminUser, form: 'token', problem: { ...malformed, field }, typed },
    ]
  }),
  ...FORMS.map((form): State => [`asked again: ${form}`, 'admin-action', adminAction([form])]),
  ['asked again: both pauses', 'admin-action', adminAction(['pause', 'pause-forever'])],
  ['a user, after a weak token', 'admin-user', { ...adminUser, notice: 'token', weak: true }],
  ...FORMS.flatMap((form): State[] => [
    [
      `a user, refused to ${form}`,
      'admin-user',
      { ...adminUser, form, problem: malformed, typed: { reason: 'why', days: 'x' } },
    ],
  ]),
  ...FORMS.flatMap((form): State[] =>
    form === 'pause-forever'
      ? []
      : [[`a user, after ${form}`, 'admin-user', { ...adminUser, ...noticeOf(form) }]],
  ),
  ['codes for a user', 'admin-codes', adminCodes],
  [
    'a one-time code for a user',
    'admin-codes',
    { ...adminCodes, kind: 'one-time-code', codes: codes.slice(0, 1), until: event.at },
  ],
  ['policy', 'admin-policy', adminPolicy],
  ['policy, before it is saved', 'admin-policy-preview', policyPreview],
  [
    'policy, before it is saved, of too many users',
    'admin-policy-preview',
    {
      ...policyPreview,
      again: true,
      count: { ...policyPreview.count, whole: false, listed: false },
    },
  ],
  [
    'policy, before it is saved, uncounted',
    'admin-policy-preview',
    { ...policyPreview, count: null },
  ],
  ['policy that stays', 'admin-policy-preview', { ...policyPreview, changes: [] }],
  ['policy, just changed', 'admin-policy', { ...adminPolicy, notice: true, roles: [] }],
  ['policy, odd', 'admin-policy', { ...adminPolicy, problem: malformed, stale: true }],
  [
    'policy, never changed',
    'admin-policy',
    { ...adminPolicy, policy: { ...adminPolicy.policy, updatedAt: null, updatedBy: null } },
  ],
  ['events', 'admin-events', adminEvents],
  ['events, filtered', 'admin-events', everyEvent],
  ['event', 'admin-event', oneEvent],
  ['events, none', 'admin-events', { ...adminEvents, events: [], more: null, user: '' }],
  ['events, an odd query', 'admin-events', { ...adminEvents, problem: malformed, events: [] }],
  ['problem', 'problem', { problem: wrongCode, next: '/second-step/challenge' }],
  ['problem without a way on', 'problem', { problem: wrongCode, next: null }],
  ['problem of an admin’s', 'problem', { problem: wrongCode, next: '/from', navigation: true }],
]

const render = ejsPages(ejsViews())

async function show<P extends PageName>(page: P, data: PageData[P], more: Partial<PageFrame> = {}) {
  return await render(page, data, { ...frame, ...more })
}

const tags = (html: string, name: string) => html.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? []
const attribute = (tag: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
const forms = (html: string) => html.match(/<form\b.*?<\/form>/gs) ?? []
const posts = (html: string) => forms(html).filter((form) => form.includes(' method="post"'))
const visibleFields = (html: string) => [
  ...tags(html, 'input').filter((tag) => attribute(tag, 'type') !== 'hidden'),
  ...tags(html, 'select'),
]
const fieldOf = (html: string, id: string) =>
  tags(html, 'input').find((tag) => attribute(tag, 'id') === id) ?? ''

/** What no person can name: texts are looked up by it, times are made of it. */
const KEPT = [
  ...[
    'code',
    'since',
    'createdAt',
    'expiresAt',
    'purpose',
    'action',
    'notice',
    'form',
    'forms',
    'state',
  ],
  ...['states', 'groups', 'kind', 'methods', 'actions', 'bulkActions', 'factors', 'effects', 'why'],
  ...['countedAt', 'first', 'last', 'date', 'types', 'reached'],
  ...['type', 'mode', 'modes', 'at', 'until', 'pausedUntil', 'lockedUntil', 'updatedAt', 'refusal'],
]

/** The same data with the hostile text in every string of it. */
function hostile<T>(value: T): T
function hostile(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('<svg') ? value : HOSTILE
  if (Array.isArray(value)) return value.map(hostile)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const entries = Object.entries(value).map(([key, each]) => {
    const kept = KEPT.includes(key)
    return [key, kept ? each : hostile(each)] as const
  })
  return Object.fromEntries(entries)
}

for (const [state, page, data] of states) {
  describe(`the page: ${state}`, () => {
    let html: string
    before(async () => {
      html = await show(page, data)
    })

    it('is a whole document with one heading, a title and no index entry', () => {
      expect(html.trimStart()).to.match(/^<!doctype html>\s*<html lang="en" dir="ltr">/)
      expect(html.trimEnd()).to.match(/<\/html>$/)
      expect(tags(html, 'h1')).to.have.length(1)
      expect(html).to.match(/<title>[^<]+ – Acme<\/title>/)
      expect(html).to.contain('<meta name="viewport" content="width=device-width')
      expect(html).to.contain('<meta name="robots" content="noindex">')
      expect(html).not.to.match(/undefined|\[object/)
    })

    it('has nothing inline: scripts and one stylesheet of ours', () => {
      expect(html).not.to.match(/<style|\sstyle=|\son\w+\s*=|javascript:/i)
      const names = html.includes(' data-key="') ? ['page', 'security-key'] : ['page']
      expect(tags(html, 'script')).to.deep.equal(
        names.map((name) => `<script src="/second-step/assets/${name}.js" defer>`),
      )
      expect(tags(html, 'link')).to.deep.equal([
        '<link rel="stylesheet" href="/second-step/assets/style.css">',
      ])
    })

    it('has a label for every field, and every id once', () => {
      const labelled = tags(html, 'label').map((tag) => attribute(tag, 'for'))
      for (const field of visibleFields(html)) {
        const id = attribute(field, 'id')
        if (id === undefined) expect(html).to.contain(`<label class="tick">${field}`)
        else expect(labelled).to.include(id)
      }
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
      expect(new Set(ids).size).to.equal(ids.length)
      const described = [...html.matchAll(/\saria-(?:describedby|labelledby)="([^"]+)"/g)]
      expect(ids).to.include.members(described.flatMap(([, names]) => names?.split(' ') ?? []))
    })

    it("posts every form to a route of ours, with the host's own fields", () => {
      for (const form of posts(html)) {
        expect(form).to.match(/^<form [^>]*method="post" action="\/(admin\/)?second-step\//)
        expect(form).to.contain('<input type="hidden" name="_csrf" value="token-of-the-host">')
        expect(form).to.contain('<input type="hidden" name="other" value="field">')
        expect(tags(form, 'button')).to.have.length(1)
      }
      const outside = html.replace(/<form\b.*?<\/form>/gs, '')
      expect(tags(outside, 'input')).to.have.length(0)
    })

    it('asks by other forms for lists alone, without the host’s tokens in the address', () => {
      const others = forms(html).filter((form) => !posts(html).includes(form))
      for (const form of others) {
        expect(form).to.match(/^<form [^>]*method="get" action="\/admin\/second-step\//)
        expect(form).not.to.contain('token-of-the-host')
      }
    })

    it('focuses one field at most', () => {
      expect(html.match(/ autofocus/g) ?? []).to.have.length.at.most(1)
    })

    // A display name, an account or a host's field with markup in it must stay text.
    it('escapes whatever it is given', async () => {
      const given = hostile({ ...frame, base: 'x', dir: 'x', lang: 'x', t: undefined })
      const attacked = await render(page, hostile(data), {
        ...frame,
        ...given,
        t,
        formFields: { [HOSTILE]: HOSTILE },
      })
      expect(tags(attacked, 'script')).to.have.length(tags(html, 'script').length)
      expect(attacked).not.to.contain('alert("')
      expect(attacked).not.to.contain("alert('")
      expect(attacked.match(/&lt;script&gt;alert\(&#34;1&#39;&#34;\)/g)).not.to.equal(null)
      expect(tags(attacked, 'input')).to.have.length(tags(html, 'input').length - hostFields(html))
    })
  })
}

/** How many of the host's fields are on the page beyond the first of each form. */
function hostFields(html: string): number {
  return posts(html).length * (Object.keys(frame.formFields).length - 1)
}

describe('the challenge page', () => {
  it('asks for a code where phones offer it and show digits', async () => {
    const field = fieldOf(await show('challenge', challenge), 'code')
    expect(field).to.contain('name="code"')
    expect(field).to.contain('autocomplete="one-time-code"')
    expect(field).to.contain('inputmode="numeric"')
    expect(field).to.contain(' autofocus')
    expect(field).not.to.match(/ (pattern|maxlength)=/)
  })

  it('takes a backup code in a second form that needs no script', async () => {
    const html = await show('challenge', challenge)
    expect(html).to.match(/<details class="other-way">\s*<summary>/)
    const field = fieldOf(html, 'backup-code')
    expect(field).to.contain('name="code"')
    expect(field).to.contain('autocomplete="off"')
    expect(field).to.contain('inputmode="text"')
    const actions = tags(html, 'form').map((tag) => attribute(tag, 'action'))
    const expected = ['/second-step/challenge', '/second-step/challenge', '/second-step/cancel']
    expect(actions).to.deep.equal(expected)
  })

  it('has no backup-code form where backup codes are off', async () => {
    const html = await show('challenge', { ...challenge, backupCode: false })
    expect(html).not.to.contain('<details')
  })

  it('offers trust and the way out for a lost authenticator only when told to', async () => {
    const plain = await show('challenge', challenge)
    expect(plain).not.to.match(/name="trust"|\/lost"/)
    const full = await show('challenge', { ...challenge, lost: true, trust: 14 })
    expect(full).to.contain('<input type="checkbox" name="trust" value="1">')
    expect(full).to.contain('<a href="/second-step/lost">Lost your code?<')
  })

  it('asks whoever has keys alone for no lost code', async () => {
    const keyAlone = await show('challenge', { ...challenge, app: false, keys: true, lost: true })
    expect(keyAlone).to.contain('<a href="/second-step/lost">Lost your key?<')
  })

  it('has one box of trust for a key and for a code, and a button for each', async () => {
    const html = await show('challenge', { ...challenge, keys: true, trust: 14 })
    const boxes = tags(html, 'input').filter((tag) => attribute(tag, 'name') === 'trust')
    expect(boxes.map((tag) => attribute(tag, 'form'))).to.deep.equal(['code-form'])
    const ids = tags(html, 'form').map((tag) => /id="([^"]*)"/.exec(tag)?.[1])
    expect(ids).to.deep.equal(['key-form', 'code-form', undefined, undefined])
    const looks = tags(html, 'button').map((tag) => attribute(tag, 'class'))
    expect(looks.slice(0, 2)).to.deep.equal(['main', 'other'])
  })

  it('ties a problem to the field and focuses it', async () => {
    const html = await show('challenge', { ...challenge, problem: wrongCode })
    expect(html).to.match(/<div class="problem" id="problem" role="alert">\s*<p>That code/)
    expect(html).to.contain('<title>Error: Enter your code – Acme</title>')
    expect(fieldOf(html, 'code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem"/,
    )
    expect(fieldOf(html, 'backup-code')).not.to.match(/autofocus|aria-invalid/)
  })

  it('ties a problem with a backup code to that field, and opens its form', async () => {
    const data = { ...challenge, problem: wrongCode, typedBackupCode: true }
    const html = await show('challenge', data)
    expect(html).to.contain('<details class="other-way" open>')
    expect(fieldOf(html, 'backup-code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem backup-code-hint"/,
    )
    expect(fieldOf(html, 'code')).not.to.match(/autofocus|aria-invalid/)
  })
})

describe('the set-up page', () => {
  it('shows the QR code as it is, the names apart from the text, and the key', async () => {
    const html = await show('setup', setup)
    expect(html).to.contain(`aria-label="${t('factor.totp.qr')}">${setup.qr}`)
    expect(html).to.contain('<bdi>anna@example.test</bdi>')
    expect(html).to.contain('dir="ltr">JBSW Y3DP EHPK 3PXP</code>')
    expect(html).to.contain(`href="${setup.uri.replace('&', '&amp;')}"`)
  })

  it('begins with the first step, and with the field after a wrong code', async () => {
    expect(await show('setup', setup)).not.to.contain('autofocus')
    const again = await show('setup', { ...setup, problem: wrongCode })
    expect(fieldOf(again, 'code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem"/,
    )
  })

  it('offers to cancel only where there is a login to cancel', async () => {
    const actionsOf = (html: string) => tags(html, 'form').map((tag) => attribute(tag, 'action'))
    const both = ['/second-step/setup', '/second-step/cancel']
    expect(actionsOf(await show('setup', setup))).to.deep.equal(both)
    const alone = await show('setup', { ...setup, cancel: false })
    expect(actionsOf(alone)).to.deep.equal(['/second-step/setup'])
  })
})

describe('the page of a change of key', () => {
  const change = { ...setup, purpose: 'change-key', cancel: false } as const

  it('says that the old one works until then, and has a way back that changes nothing', async () => {
    const html = await show('setup', change)
    expect(html).to.contain(t('setup.intro-change'))
    const actions = tags(html, 'form').map((tag) => attribute(tag, 'action'))
    expect(actions).to.deep.equal(['/second-step/setup'])
    expect(html).to.contain(`<a class="quiet" href="/second-step/">${t('setup.keep')}</a>`)
  })
})

describe('the page of the live key', () => {
  it('has the key, a way back, and nothing to confirm', async () => {
    const html = await show('setup', { ...setup, purpose: 'show-key', cancel: false })
    expect(html).to.contain(setup.qr).and.to.contain('JBSW Y3DP EHPK 3PXP')
    expect(html).to.contain('href="/second-step/"')
    expect(forms(html)).to.have.length(0)
  })
})

describe('a wrong clock', () => {
  const time = '<time class="clock" dir="ltr" datetime="2026-01-05T12:03:25.000Z" data-clock>'

  it('is named at a set-up, with the right time and how to set it', async () => {
    const told = async (seconds: number) => {
      const problem = { ...wrongCode, clockOff: seconds }
      return show('setup', { ...setup, problem, clock: noon })
    }
    expect(await told(-170)).to.contain('about 3 minutes behind')
    expect(await told(600)).to.contain('about 10 minutes ahead')
    expect(await told(-60)).to.contain('about a minute behind')
    expect(await told(30)).to.contain('about a minute ahead')
    const html = await told(-170)
    expect(html)
      .to.contain(`${time}12:03:25 UTC</time>`)
      .and.to.contain(t('factor.totp.clock-how').replaceAll('&', '&amp;'))
    expect(html).not.to.contain(wrongCode.detail)
  })

  it('is only hinted at in the challenge', async () => {
    const html = await show('challenge', { ...challenge, problem: wrongCode, clock: noon })
    expect(html)
      .to.contain(`${time}12:03:25 UTC</time>`)
      .and.to.contain(t('factor.totp.clock-hint'))
    expect(html)
      .to.contain(wrongCode.detail)
      .and.not.to.match(/behind|ahead/)
    expect(await show('challenge', challenge)).not.to.contain('data-clock')
  })
})

describe('the page of backup codes', () => {
  const data = made

  it('saves the codes to a file without a script: all of them, whose and since when', async () => {
    const link = tags(await show('backup-codes', data, { issuer: 'Acme & Söhne' }), 'a')[0] ?? ''
    expect(attribute(link, 'download')).to.equal('backup-codes-Acme-Söhne.txt')
    const [type, text] = (attribute(link, 'href') ?? '').split(',')
    expect(type).to.equal('data:text/plain;charset=utf-8')
    const lines = decodeURIComponent((text ?? '').replaceAll('&#39;', "'")).split('\r\n')
    expect(lines[0]).to.equal('Acme & Söhne: Backup codes')
    expect(lines[1]).to.match(/^Made on 1970-\S*\. Each/)
    expect(lines.slice(3)).to.deep.equal([...codes, ''])
  })

  it('is the same file of codes that an admin has made, and none of a one-time code', async () => {
    const { madeAt, name: account } = adminCodes
    const own = tags(await show('backup-codes', { ...data, codes, madeAt, account }), 'a')
    const [link = ''] = own
    expect(attribute(link, 'download')).to.equal('backup-codes-Acme-Ann.txt')
    const given = await show('admin-codes', adminCodes)
    expect(tags(given, 'a')).to.include(link)
    expect(given).to.contain('Made on ')
    const once = await show('admin-codes', { ...adminCodes, kind: 'one-time-code' })
    expect(once).to.not.contain('download=').and.not.contain('Made on ')
  })

  it('hides what needs the script until it runs', async () => {
    const html = await show('backup-codes', data)
    const buttons = tags(html, 'button').filter((tag) => attribute(tag, 'type') === 'button')
    expect(buttons).to.have.length(2)
    for (const button of buttons) expect(button).to.match(/ hidden>$/)
  })

  it('goes on after a tick that the browser insists on', async () => {
    const [form] = forms(await show('backup-codes', data))
    expect(form).to.contain('action="/second-step/backup-codes/saved"')
    expect(form).to.contain('<input type="checkbox" name="saved" value="1" required>')
    expect(form).not.to.contain('/account')
  })

  it('says that the other sessions have ended, where they have', async () => {
    const ended = await show('backup-codes', { ...data, sessionsEnded: true })
    expect(ended).to.contain(t('backup-codes.sessions-ended'))
    expect(await show('backup-codes', data)).not.to.contain(t('backup-codes.sessions-ended'))
  })

  it('without codes just says that it is on, and goes on', async () => {
    const html = await show('backup-codes', { ...data, codes: [] })
    expect(forms(html)).to.have.length(0)
    expect(html).to.contain(t('backup-codes.title-without'))
    expect(html).to.contain('href="/account"')
  })

  it('says in a pause until when nothing is asked, where it has no codes to show', async () => {
    const changed = { ...data, codes: [], done: 'key-changed' } as const
    const iso = noon.toISOString()
    for (const pausedUntil of ['forever', iso]) {
      const html = await show('backup-codes', { ...changed, pausedUntil })
      expect(html).to.not.contain(t('backup-codes.on'))
      expect(html).to.contain(pausedUntil === iso ? `datetime="${iso}"` : t('settings.paused'))
    }
  })
})

describe('the settings page', () => {
  const page = (more: Partial<PageData['settings']> = {}) =>
    show('settings', { ...settings, ...more })
  const actions = (html: string) =>
    tags(html, 'form')
      .map((tag) => attribute(tag, 'action')?.replace('/second-step/', ''))
      .filter((action) => action !== 'backup-codes/saved')
  const section = (html: string, action: string) =>
    (html.match(/<details class="action".*?<\/details>/gs) ?? []).find((each) =>
      each.includes(`action="/second-step/${action}"`),
    ) ?? ''

  it('says on the red buttons for a key what they do', async () => {
    const html = await page({ app: false, keys: true })
    expect(section(html, 'reset')).to.contain('>Reset and sign out (by security key or passkey)<')
    expect(section(html, 'disable')).to.contain('>Turn off (by security key or passkey)<')
    expect(section(html, 'change-key')).to.contain('>Use a security key or passkey<')
  })

  it('leads to the set-up whoever has none', async () => {
    const html = await show('settings', notEnrolled)
    expect(html).to.contain('href="/second-step/setup"')
    expect(html).to.contain('href="/home"')
    expect(forms(html)).to.have.length(0)
  })

  // The mistake: wrong codes have locked all devices, and the page says that the others keep working.
  it('says what works without a device as it is', async () => {
    const device = { id: 'a', type: 'totp', name: null, since: settings.since ?? '', serial: null }
    const authenticators = ['a', 'b'].map((id) => {
      return { ...device, id, lastUsedAt: null, synced: null }
    })
    const said = async (more: Partial<PageData['settings']>) => {
      const text = section(await page({ authenticators, ...more }), 'authenticators/a/remove')
      return /Your [^<.]* keep working/.exec(text)?.[0] ?? null
    }
    const none = { backupCodesLeft: 0 }
    expect(await said({})).to.equal('Your other devices and your backup codes keep working')
    expect(await said(none)).to.equal('Your other devices keep working')
    expect(await said({ locked: true })).to.equal('Your backup codes keep working')
    expect(await said({ locked: true, ...none })).to.equal(null)
  })

  it('minds the visitor of few backup codes, and of ones not saved', async () => {
    const notes = async (more: Partial<PageData['settings']>) =>
      (await page(more)).match(/class="note"/g)?.length ?? 0
    expect(await notes({})).to.equal(0)
    expect(await notes({ backupCodesLeft: 4 })).to.equal(0)
    expect(await notes({ noMail: true })).to.equal(1)
    expect(await notes({ backupCodesLeft: 3 })).to.equal(1)
    expect(await notes({ backupCodesLeft: 0, backupCodesSaved: false })).to.equal(1)
    expect(await notes({ backupCodesLeft: 3, backupCodesSaved: false })).to.equal(2)
    const off = { backupCodes: false, backupCodesLeft: 0, backupCodesSaved: false }
    expect(await notes(off)).to.equal(0)
  })

  it('says since when, for people and for machines', async () => {
    expect(await page()).to.contain(
      `<time datetime="${settings.since}" data-local="date">March 4, 2025</time>`,
    )
  })

  it('has each action as a closed form of its own, the dangerous ones last', async () => {
    const html = await page()
    const all = ['backup-codes', 'change-key', 'show-key', 'reset', 'disable']
    expect(actions(html)).to.deep.equal(all)
    expect(html).not.to.match(/<details[^>]* open>| autofocus/)
    for (const action of all) {
      const field = fieldOf(section(html, action), `code-${action}`)
      expect(field).to.contain('name="code"').and.to.contain('autocomplete="one-time-code"')
      expect(field)
        .to.contain('inputmode="numeric"')
        .and.not.match(/ (pattern|maxlength)=/)
    }
    expect(html.match(/<button class="danger">/g)).to.have.length(2)
  })

  it('shows a problem at the form it belongs to, which is open and has the focus', async () => {
    const html = await page({ action: 'reset', problem: wrongCode })
    expect(html.match(/<details[^>]* open>/g)).to.have.length(1)
    const reset = section(html, 'reset')
    expect(reset).to.contain(' open>').and.to.contain('id="problem" role="alert"')
    expect(fieldOf(reset, 'code-reset')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem"/,
    )
    expect(fieldOf(html, 'code-disable')).not.to.match(/autofocus|aria-invalid/)
  })

  it('offers only what there is', async () => {
    expect(actions(await page({ backupCodes: false }))).to.not.include('backup-codes')
    expect(actions(await page({ showKey: false }))).to.not.include('show-key')
    const required = await page({ canDisable: false })
    expect(actions(required)).to.not.include('disable')
    expect(required).to.contain(t('settings.disable-required'))
  })

  it('puts new codes first when there are few, and leads on to where the login was going', async () => {
    const few = await page({ backupCodesLeft: 3 })
    expect(section(few, 'backup-codes')).to.contain(' open>')
    expect(few).to.contain('href="/account"').and.not.to.contain(' autofocus')
    const none = await page({ backupCodesLeft: 0 })
    expect(fieldOf(none, 'code-backup-codes')).to.contain(' autofocus')
    expect(none).to.contain('href="/account"')
    const wrong = await page({ backupCodesLeft: 0, action: 'change-key', problem: wrongCode })
    expect(fieldOf(wrong, 'code-change-key')).to.contain(' autofocus')
    expect(fieldOf(wrong, 'code-backup-codes')).not.to.contain(' autofocus')
  })

  it('says that it was turned off', async () => {
    expect(await page({ notice: 'disabled' })).to.contain(t('settings.disabled'))
    expect(await page()).not.to.contain(t('settings.disabled'))
  })
})

describe('the problem page', () => {
  it('has a heading of its own kind, the detail, and a way on', async () => {
    const problem = { code: 'unavailable', detail: 'What is the matter.' }
    const html = await show('problem', { problem, next: '/onward' })
    expect(html).to.contain(`<h1>${t('problem.unavailable.title')}</h1>`)
    expect(html).to.contain('What is the matter.')
    expect(html).to.contain('href="/onward"')
    expect(await show('problem', { problem, next: null })).to.contain('href="/login"')
    const back = await show('problem', { problem, next: '/from', lead: 'back' })
    expect(back).to.contain(`<a class="button" href="/from">${t('settings.back')}</a>`)
    const again = await show('problem', { problem, next: '/same', lead: 'again' })
    expect(again).to.contain(`<a class="button" href="/same">${t('action.try-again')}</a>`)
  })
})

describe("the host's own views", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'views-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const rendered = (pages: typeof render) =>
    pages('fresh', { problem: null, backupCode: false }, frame)

  it('replace a page by its file name, inside our frame and with our parts', async () => {
    write('fresh.ejs', "<h1>Bye from <%= issuer %></h1><%- include('_cancel') %>")
    const html = await rendered(ejsPages(ejsViews(folder)))
    expect(html).to.contain('<h1>Bye from Acme</h1><form class="cancel"')
    expect(html).to.contain('/second-step/assets/style.css')
    const problem = { problem: wrongCode, next: null }
    expect(await ejsPages(ejsViews(folder))('problem', problem, frame)).to.equal(
      await show('problem', problem),
    )
  })

  it('replace a part, also where one of our pages includes it', async () => {
    write('_heading.ejs', '<h1>Theirs: <%= title %></h1>')
    const html = await rendered(ejsPages(ejsViews(folder)))
    expect(html).to.contain(`<h1>Theirs: ${t('fresh.title')}</h1>`)
  })

  it('replace the frame', async () => {
    write('_frame.ejs', '<html lang="<%= lang %>">[<%- body %>]</html>')
    expect(await rendered(ejsPages(ejsViews(folder)))).to.match(
      /^<html lang="en">\[<h1>.*\]\s*<\/html>/s,
    )
  })

  it('include views of their own', async () => {
    write('own.ejs', 'own part of <%= name %>')
    write('_head.ejs', "<%- include('own', { name: issuer }) %>")
    expect(await rendered(ejsPages(ejsViews(folder)))).to.contain('own part of Acme')
  })

  it('do not reach into another instance in the same process', async () => {
    await rendered(ejsPages(ejsViews()))
    write('_heading.ejs', '<h1>Theirs</h1>')
    const theirs = ejsPages(ejsViews(folder))
    expect(await rendered(theirs)).to.contain('<h1>Theirs</h1>')
    expect(await rendered(ejsPages(ejsViews()))).not.to.contain('Theirs')
  })

  it('are refused at start-up where the folder is none', () => {
    write('file', '')
    for (const wrong of [join(folder, 'missing'), join(folder, 'file')]) {
      expect(() => ejsPages(ejsViews(wrong))).to.throw(ConfigurationError, 'views')
    }
  })

  it('are refused at start-up where a page can’t be compiled, by file name', () => {
    write('setup.ejs', '<% if ( %>')
    expect(() => ejsPages(ejsViews(folder))).to.throw(ConfigurationError, 'setup.ejs')
  })

  // The mistake: ours are compiled when they are first written, and a folder whose name begins as ours
  // does was taken for ours.
  it('are refused at start-up in any folder, also one beside ours with a longer name', () => {
    const beside = mkdtempSync(`${VIEWS}-`)
    try {
      writeFileSync(join(beside, 'setup.ejs'), '<% if ( %>')
      expect(() => ejsPages(ejsViews(beside))).to.throw(ConfigurationError, 'setup.ejs')
    } finally {
      rmSync(beside, { recursive: true })
    }
  })

  it('are told which part there is not', () => {
    write('fresh.ejs', "<%- include('_missing') %>")
    expect(() => rendered(ejsPages(ejsViews(folder)))).to.throw('_missing.ejs')
  })
})

// Whoever is told "until 12:00 (UTC)" waits in vain, or comes back too late.
describe('a moment in a sentence', () => {
  const at = '2026-01-05T12:03:25.000Z'
  const inUtc = 'January 5, 2026 at 12:03 PM (UTC)'
  const told = { ...frame, time: () => inUtc }
  const sentences: readonly State[] = [
    [
      'of a reset that waits, on the challenge',
      'challenge',
      { ...challenge, resetPending: new Date(at) },
    ],
    [
      'of a reset that waits, in the settings',
      'settings',
      { ...settings, resetPending: new Date(at) },
    ],
    ['of a pause', 'settings', { ...settings, pausedUntil: at }],
    ['of a deadline', 'settings', { ...notEnrolled, setupDeadline: at }],
    ['of a link that waits', 'lost-link', { ...lostLink, availableAt: new Date(at) }],
    [
      'of a link that was asked for',
      'lost-link',
      { ...lostLink, facts: [{ label: 'Time', value: inUtc, at }] },
    ],
    ['of codes that were made', 'admin-user', { ...adminUser, ...noticeOf('backup-codes') }],
  ]
  for (const [name, view, data] of sentences) {
    it(`${name} can be shown in the visitor’s own time`, async () => {
      const html = await render(view, data as never, told)
      expect(html).to.contain(`<time datetime="${at}" data-local="long">${inUtc}</time>`)
      expect(html).to.not.match(/<\/time>\s+[.,;]/)
      // Nowhere a second time as a text alone.
      expect(html.split(inUtc)).to.have.length(html.split(`>${inUtc}</time>`).length)
    })
  }

  it('stays a sentence in a host’s words that name no time', async () => {
    const messages = loadMessages({ en: { 'settings.deadline': 'Set it up soon.' } }).for(['en'])
    const data = { ...notEnrolled, setupDeadline: at }
    const html = await render('settings', data, { ...told, t: messages.t })
    expect(html).to.contain('Set it up soon.')
    expect(html).to.not.contain(at)
  })
})

/** Another view of the same folder, or of the parts that a factor has. */
const INCLUDE = /^<%- include\('(factors\/([a-z-]+\/)?)?_[a-z-]+'(, \{[^}]*\})?\) -?%>$/s

describe('the page of one event', () => {
  it('names the method in words, and none that is no factor', async () => {
    const html = await show('admin-event', oneEvent)
    expect(html).to.include(t('factor.totp.accepted')).and.not.include('>totp<')
    const upstream = await show('admin-event', { ...oneEvent, method: 'upstream' })
    expect(upstream).not.to.include('upstream').and.not.include(t('admin.event.method'))
  })
})

describe('unescaped output of the views', () => {
  // A raw tag around anything that a person can name is stored cross-site scripting.
  it('is other views, the QR code and our style sheet, nothing else', () => {
    const raw = readdirSync(VIEWS, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ejs'))
      .flatMap((file) => readFileSync(join(VIEWS, file), 'utf8').match(/<%-.*?%>/gs) ?? [])
      .filter((tag) => !INCLUDE.test(tag))
    expect(raw).to.have.members(['<%- body -%>', '<%- data.qr -%>', '<%- style %>'])
  })
})
