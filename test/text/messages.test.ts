import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ADMIN_ACTION_NAMES } from '../../lib/domain/admin-actions.js'
import { EVENT_TYPES } from '../../lib/domain/event-kind.js'
import { GROUPS } from '../../lib/domain/groups.js'
import { STATES } from '../../lib/domain/state.js'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { AUTHENTICATOR_TYPES, FACTOR_METHODS } from '../../lib/factors/factors.js'
import { ADMIN_MAILS, MAILS } from '../../lib/service/mails.js'
import { loadMessages } from '../../lib/text/messages.js'
import { REFUSALS } from '../../lib/text/page-event.js'
import type { AdminForm } from '../../lib/text/pages.js'
import { MODES } from '../../lib/web/admin/policy-fields.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const english: Record<string, string> = JSON.parse(
  readFileSync(join(ROOT, 'messages/en.json'), 'utf8'),
)

/** Every code that a refusal can have. */
const CODES = [
  'malformed-request',
  'not-signed-in',
  'code-required',
  'setup-required',
  'wrong-code',
  'sign-in-again',
  'too-many-attempts',
  'fresh-code-required',
  'stronger-factor-required',
  'required-by-policy',
  'switched-off',
  'not-enrolled',
  'already-enrolled',
  'already-signed-in',
  'setup-expired',
  'cross-origin',
  'forbidden',
  'not-found',
  'link-expired',
  'not-yet',
  'unavailable',
]

function source(folder: string, ending: RegExp): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8'))
    .join('\n')
}

/** Texts of one mail are found by its name, and those of all mails by their key. */
const isOfOneMail = (key: string) => /^mail\..*\./.test(key)

/** What pages for admins offer, and the texts that each has. */
const OFFERED: Readonly<Record<AdminForm, readonly string[]>> = {
  resume: ['summary', 'text', 'text-overridden', 'text-unused', 'button', 'done'],
  unlock: ['summary', 'text', 'button', 'done'],
  'one-time-code': ['summary', 'text', 'button', 'again', 'title', 'intro', 'heading', 'until'],
  'backup-codes': ['summary', 'text', 'button', 'again', 'title', 'intro', 'heading'],
  token: [
    ...['summary', 'text', 'button', 'done', 'serial', 'seed', 'seed-hint', 'type', 'totp', 'hotp'],
    ...['digits', 'algorithm', 'period', 'counter', 'text-only', 'text-unused'],
    'few-tries',
    'serial-in-use-by',
    ...['type', 'algorithm', 'digits', 'period', 'counter'].map((field) => `bad-${field}`),
    'long-seed',
    ...[
      'done-weak',
      'bad-seed',
      'short-seed',
      'bad-serial',
      'serial-in-use',
      'seed-in-use',
      'no-room',
    ],
  ],
  'remove-authenticator': ['summary', 'text', 'button', 'done'],
  remind: ['summary', 'text', 'button', 'done'],
  pause: ['summary', 'text', 'button', 'done', 'days'],
  'pause-forever': ['summary', 'text', 'button'],
  reset: ['summary', 'text', 'text-unused', 'button', 'done'],
  disable: ['summary', 'text', 'button', 'done'],
  'end-sessions': ['summary', 'text', 'button', 'done'],
  note: ['summary', 'text', 'label', 'hint', 'button', 'done'],
}
const NUMBERS = ['grace', 'code-attempts', 'password-attempts']

/** Texts that are looked up by words of the code, by what their keys begin with. */
const families: Readonly<Record<string, readonly string[]>> = {
  'event.': EVENT_TYPES,
  'state.': STATES,
  'mode.': MODES,
  'events.by-': ['admin', 'operator', 'system'],
  'admin.picture.': ['growth', 'attempts', 'total', 'accepted', 'wrong'],
  'change.': ADMIN_ACTION_NAMES,
  'refusal.': REFUSALS,
  ...Object.fromEntries(
    Object.entries(OFFERED).map(([form, parts]) => [`admin.${form}.`, parts] as const),
  ),
}
const looked = [
  ...GROUPS.map((group) => `admin.users.${group}`),
  ...Object.entries(families).flatMap(([start, ends]) => ends.map((end) => `${start}${end}`)),
  ...FACTOR_METHODS.map((method) => `factor.${method}.accepted`),
  ...AUTHENTICATOR_TYPES.map((type) => `factor.${type}.name`),
  ...['app', 'token', 'key'].map((kind) => `admin.users.${kind}`),
  ...NUMBERS.flatMap((name) => [`admin.policy.${name}`, `admin.policy.${name}-hint`]),
]

const views = source('views', /\.ejs$/)
const lib = source('lib', /\.ts$/)

describe('the texts', () => {
  it('say what went wrong, with a title, for every code there is and no other', () => {
    const problems = Object.keys(english).filter((key) => key.startsWith('problem.'))
    const expected = CODES.flatMap((code) => [`problem.${code}.title`, `problem.${code}`])
    expect(problems).to.have.members(expected)
  })

  it('have a title, what happened and what to do for every mail there is, and no other', () => {
    const ofMails = Object.keys(english).filter((key) => isOfOneMail(key))
    const parts = ['title', 'what', 'not-you']
    const expected = MAILS.flatMap((mail) => parts.map((part) => `mail.${mail}.${part}`))
    const ofAdmins = ADMIN_MAILS.flatMap((mail) =>
      ['title', 'what'].map((part) => `mail.admin.${mail}.${part}`),
    )
    const more = [
      ...['mail.backup-code-used.left', 'mail.backup-code-used.few'],
      ...['by', 'reason', 'was-asked', 'not-expected', 'not-you'].map(
        (part) => `mail.admin.${part}`,
      ),
      ...['what-devices', 'keys', 'backup-codes', 'no-backup-codes'].map(
        (part) => `mail.authenticator-locked.${part}`,
      ),
      ...['mail.admin.paused.what-forever', 'mail.admin.reset.days'],
      ...['mail.reminded.until', 'mail.reminded.done'],
      ...['mail.admin.resumed.asked', 'mail.admin.token-assigned.asked'],
      ...['mail.admin.token-assigned.only', 'mail.authenticator-added.codes'],
    ]
    expect(ofMails).to.have.members([...expected, ...ofAdmins, ...more])
  })

  it('have every key that a view uses', () => {
    const used = [...views.matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key)
    expect(used).not.to.have.length(0)
    expect(Object.keys(english)).to.include.members(used)
  })

  it('have every key that is looked up by a word, and no other of its family', () => {
    expect(Object.keys(english)).to.include.members(looked)
    for (const [start, ends] of Object.entries(families)) {
      const there = Object.keys(english).filter((key) => key.startsWith(start))
      expect(there, start).to.have.members(ends.map((end) => `${start}${end}`))
    }
  })

  it('have no key that nothing uses', () => {
    const unused = Object.keys(english)
      .filter((key) => !looked.includes(key))
      .filter((key) => !key.startsWith('problem.') && !isOfOneMail(key))
      .filter((key) => !views.includes(`'${key}'`) && !lib.includes(`'${key}'`))
    expect(unused).to.deep.equal([])
  })

  it('say "e-mail" for one thing, and nothing of requests', () => {
    for (const [key, text] of Object.entries(english)) {
      expect(text, key).to.not.match(/(?<!e-)\bmails?\b|\bemail|next request/i)
    }
  })

  it('name no number in "too many attempts": a right code and a wrong one answer alike', () => {
    const { t } = loadMessages().for(['en'])
    expect(t('problem.too-many-attempts', { minutes: 3 })).to.equal(t('problem.too-many-attempts'))
    expect(english['problem.too-many-attempts']).not.to.match(/[{\d]/)
  })

  it('count', () => {
    const { t } = loadMessages().for(['en'])
    const left = (count: number) => t('settings.backup-codes-left', { count })
    expect([left(0), left(1), left(7)]).to.deep.equal(['none', '1 left', '7 left'])
  })

  it('refuse a key that nobody wrote', () => {
    expect(() => loadMessages().for(['en']).t('no.such.key')).to.throw('no.such.key')
  })
})

describe('the language', () => {
  const back = (text: string) => ({ 'settings.back': text })
  const messages = loadMessages({
    de: back('Zurück'),
    'de-AT': back('Zruck'),
    'pt-BR': back('Voltar'),
    ar: back('رجوع'),
    'az-Arab': back('قایيت'),
  })
  const langOf = (...wanted: string[]) => messages.for(wanted).lang

  it('is the first wanted one that there is', () => {
    expect(langOf('fr', 'de', 'ar')).to.equal('de')
    expect(messages.for(['de']).t('settings.back')).to.equal('Zurück')
  })

  it('may be less or more specific than the wanted one, and written in any case', () => {
    expect(langOf('de-CH-1996')).to.equal('de')
    expect(langOf('DE-at')).to.equal('de-AT')
    expect(langOf('pt')).to.equal('pt-BR')
    expect(langOf('pt-PT')).to.equal('en')
    expect(langOf('d', 'den')).to.equal('en')
  })

  it('is English where nothing wanted is there, or nothing sensible is wanted', () => {
    for (const wanted of [[], ['fr'], ['*'], [''], ['-'], ['__proto__'], ['x'.repeat(9999)]]) {
      expect(langOf(...wanted)).to.equal('en')
    }
  })

  it('knows its direction, by its script', () => {
    const dirOf = (lang: string) => messages.for([lang]).dir
    expect([dirOf('en'), dirOf('de'), dirOf('ar'), dirOf('az-Arab')]).to.deep.equal([
      'ltr',
      'ltr',
      'rtl',
      'rtl',
    ])
  })

  it("shows in English what it lacks, in the host's English where it has one", () => {
    const { t } = loadMessages({ fr: back('Retour'), en: { 'action.cancel': 'Stop' } }).for(['fr'])
    expect(t('settings.back')).to.equal('Retour')
    expect(t('action.cancel')).to.equal('Stop')
    expect(t('action.continue')).to.equal(english['action.continue'])
  })

  it("counts by its own rules, not by English's", () => {
    const few = '{count, plural, one {# kod} few {# kody} many {# kodów} other {# kodu}}'
    const { t } = loadMessages({ pl: { 'settings.backup-codes-left': few } }).for(['pl'])
    expect(t('settings.backup-codes-left', { count: 3 })).to.equal('3 kody')
    expect(t('settings.backup-codes-left', { count: 5 })).to.equal('5 kodów')
  })

  it('lets a text hold tags and quotes as plain text', () => {
    const { t } = loadMessages({ en: back('<b>Don’t</b> go') }).for(['en'])
    expect(t('settings.back')).to.equal('<b>Don’t</b> go')
  })
})

describe('texts of the host that can be no texts', () => {
  const refused: [string, Record<string, Record<string, string>>, string][] = [
    ['an unknown key', { de: { 'challenge.titel': 'x' } }, 'messages.de.challenge.titel'],
    ['a name of Object', { de: { toString: 'x' } }, 'messages.de.toString'],
    [
      'an ill-formed message',
      { de: { 'action.copy': '{count, plural' } },
      'messages.de.action.copy',
    ],
    ['a plural without "other"', { en: { 'action.copy': '{n, plural, one {1}}' } }, 'action.copy'],
    ['an unknown placeholder', { en: { 'frame.title': '{titel}' } }, '{titel}'],
    [
      'an unknown placeholder in a branch',
      { en: { 'settings.backup-codes-left': '{count, plural, other {{name}}}' } },
      '{name}',
    ],
    ['an impossible language', { 'not a tag': {} }, 'messages.not a tag'],
    ['a text that is none', JSON.parse('{"de":{"action.copy":5}}'), 'messages.de.action.copy'],
    ['a language without texts', JSON.parse('{"de":null}'), 'messages.de'],
  ]
  for (const [what, overrides, named] of refused) {
    it(`are refused at start-up, by name: ${what}`, () => {
      expect(() => loadMessages(overrides)).to.throw(ConfigurationError, named)
    })
  }
})

describe('a moment that a text of the host’s formats itself', () => {
  const zone = process.env.TZ
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  it('is in UTC, as those of ours are, wherever the server is', () => {
    process.env.TZ = 'Asia/Tokyo'
    const texts = { 'settings.date': '{date, date, short} {date, time, short}' }
    const { t } = loadMessages({ en: texts }).for(['en'])
    const date = new Date('2026-01-05T18:00:00Z')
    expect(t('settings.date', { date })).to.match(/^1\/5\/26 6:00.PM$/)
  })
})
