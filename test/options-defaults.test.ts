import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Request } from 'express'
import { createSecondStep, errors, memoryStore, type SecondStepOptions } from '../lib/index.js'
import { memoryCounters } from '../lib/limits/memory-counters.js'
import { checkOptions } from '../lib/options/check-options.js'
import { getJson, getPage } from './support/answers.js'
import { browserOf, HTML, JSON_TYPE, passFirstStep } from './support/browser.js'
import { ann, type HostUser, makeHost } from './support/host.js'

const LEAST = {
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: [randomBytes(32).toString('base64')],
  store: memoryStore(),
} satisfies SecondStepOptions

/** Any client with the shape; nothing is sent to it. */
const redis = {
  status: 'ready',
  eval: async () => [1, 1000],
  evalsha: async () => [1, 1000],
} as unknown as NonNullable<SecondStepOptions['redis']>

const request = {} as Request

async function inProduction(run: () => unknown): Promise<void> {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await run()
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}

describe('the options, where the host leaves them out', () => {
  it('have their defaults', () => {
    const {
      describe: _,
      glimpse: _____,
      recordId: __,
      hostId: ___,
      hostIdOf,
      recordIdOf,
      ipLimit,
      formFields,
      language,
      origins,
      ...plain
    } = checkOptions(LEAST)
    expect([hostIdOf('7'), recordIdOf('7')]).to.deep.equal(['7', '7'])
    expect(plain).to.deep.equal({
      issuer: 'Acme',
      origin: 'https://acme.example',
      base: '',
      paths: {
        secondStep: '/second-step',
        admin: '/admin/second-step',
        signIn: '/login',
        signedIn: '/',
      },
      parameters: { algorithm: 'sha1', digits: 6, period: 30 },
      window: 1,
      satisfiedBy: null,
      beliefs: [],
      authenticators: ['totp'],
      webauthn: null,
      roles: [],
      backupCodes: true,
      trust: null,
      showKey: true,
      nameAdmins: false,
      reminderDays: [],
      ignoreForwardedFor: false,
      keepInSession: [],
      keptFor: null,
      timeout: 1000,
    })
    expect([...origins]).to.deep.equal(['https://acme.example'])
    expect(ipLimit(request)).to.equal(100)
    expect(formFields(request)).to.deep.equal({})
    expect(language(request)).to.equal(undefined)
  })

  it('keep the defaults beside what the host gives', () => {
    const given = { ...LEAST, paths: { signIn: '/sign-in?from=app' }, totp: { digits: 8 } as const }
    const { paths, parameters } = checkOptions(given)
    expect(paths).to.include({ secondStep: '/second-step', signIn: '/sign-in?from=app' })
    expect(parameters).to.deep.equal({ algorithm: 'sha1', digits: 8, period: 30 })
  })

  it('remind users where there is mail', () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'a@acme.example' }
    const given = { ...LEAST, mail, users: { findById: async () => null } }
    expect(checkOptions(given).reminderDays).to.deep.equal([7, 3, 1])
    expect(checkOptions({ ...given, reminders: false }).reminderDays).to.deep.equal([])
    expect(checkOptions({ ...given, reminders: { days: [2] } }).reminderDays).to.deep.equal([2])
  })

  it('are not changed by being checked', () => {
    const options = Object.freeze({ ...LEAST, paths: Object.freeze({}), totp: Object.freeze({}) })
    expect(() => checkOptions(options)).to.not.throw()
  })

  it('take window 0 for 0', () => {
    // A library that read 0 as "not given" accepted 50 steps.
    expect(checkOptions({ ...LEAST, totp: { window: 0 } }).window).to.equal(0)
    expect(checkOptions({ ...LEAST, backupCodes: false }).backupCodes).to.equal(false)
  })

  it('take the time that the guard may keep what it has read as a text or in milliseconds', () => {
    const times: readonly (readonly [string | number, number])[] = [
      ['1s', 1000],
      ['100ms', 100],
      [100, 100],
      [2500, 2500],
      ['60s', 60_000],
      ['1m', 60_000],
    ]
    for (const [within, milliseconds] of times) {
      expect(checkOptions({ ...LEAST, revocation: { within } }).keptFor).to.equal(milliseconds)
    }
  })

  it('take a limit per address as a number, false or by request', () => {
    const limitOf = (ipLimit: SecondStepOptions['ipLimit']) =>
      checkOptions({ ...LEAST, ...(ipLimit === undefined ? {} : { ipLimit }) }).ipLimit(request)
    expect(limitOf(7)).to.equal(7)
    expect(limitOf(false)).to.equal(Number.POSITIVE_INFINITY)
    expect(limitOf(() => 3)).to.equal(3)
    expect(limitOf(() => false)).to.equal(Number.POSITIVE_INFINITY)
  })

  it('read id, email, name, username and locale of the host’s users, and forgive all but the id', () => {
    const { describe } = checkOptions(LEAST)
    const described = (user: object) => describe(user as Express.User)
    const names = { email: 'ann@acme.example', name: 'Ann', username: 'annie' }
    const whole = { id: 7, ...names, locale: 'it', password: 'x' }
    const { password: _, ...told } = whole
    const roleless = {
      subject: { roles: [], createdAt: null, privileged: false },
      tellsRoles: false,
    }
    expect(described(whole)).to.deep.equal({ user: whole, ...told, id: '7', ...roleless })
    const nameless = { id: 'ann', email: ' ', name: ' ' }
    const nothing = { email: null, name: null, username: null, locale: null }
    expect(described(nameless)).to.deep.equal({
      user: nameless,
      id: 'ann',
      ...nothing,
      ...roleless,
    })
  })

  it('read what `describe` says instead, and put the realm before the id', () => {
    const { describe, recordId, hostId } = checkOptions<{ _id: { toString(): string } }>({
      ...LEAST,
      realm: 'staff',
      describe: ({ _id }) => ({ id: _id, email: null }),
    })
    const user = { _id: { toString: () => '65f0c0ffee' } } as unknown as Express.User
    expect(describe(user).id).to.equal('staff:65f0c0ffee')
    expect(recordId('65f0c0ffee')).to.equal('staff:65f0c0ffee')
    expect(hostId('staff:65f0c0ffee')).to.equal('65f0c0ffee')
  })
})

describe('the options that visitors see', () => {
  it('lead where `paths` says', async () => {
    const host = makeHost({ options: { paths: { signedIn: '/home' } } })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const refused = await getJson(browser, '/second-step/challenge')
    expect(refused.body).to.include({ code: 'already-signed-in', next: '/home' })
  })

  it('put the host’s own fields into every form', async () => {
    const formFields = () => ({ _csrf: 'token-"quoted"' })
    const host = makeHost({ options: { formFields } })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const page = await getPage(browser, '/second-step/setup').expect(200)
    const hidden = '<input type="hidden" name="_csrf" value="token-&#34;quoted&#34;">'
    expect(page.text).to.include(hidden)
  })

  it('show new texts and another language', async () => {
    const messages = {
      de: { 'settings.title': 'Zweiter Schritt' },
      en: { 'settings.title': 'MFA' },
    }
    const browser = browserOf(makeHost({ options: { messages } }))
    await passFirstStep(browser, ann)
    const page = (languages: string) =>
      browser.get('/second-step').set({ Accept: HTML, 'Accept-Language': languages })
    expect((await page('de-CH, en;q=0.5').expect(200)).text).to.include('<h1>Zweiter Schritt</h1>')
    expect((await page('fr').expect(200)).text).to.include('<h1>MFA</h1>')
  })

  it('leave the pages to the host’s render function', async () => {
    const render: NonNullable<SecondStepOptions<HostUser>['render']> = async (
      page,
      _data,
      { base },
    ) => `<p>${page} at ${base}</p>`
    const browser = browserOf(makeHost({ options: { render } }))
    await passFirstStep(browser, ann)
    const page = await getPage(browser, '/second-step').expect(200)
    expect(page.text).to.equal('<p>settings at /second-step</p>')
    const missing = await getPage(browser, '/second-step/nothing').expect(404)
    expect(missing.text).to.equal('<p>problem at /second-step</p>')
  })

  it('make codes as `totp` says', async () => {
    const totp = { algorithm: 'sha256', digits: 8, period: 60, window: 0 } as const
    const browser = browserOf(makeHost({ options: { totp } }))
    await passFirstStep(browser, ann)
    const shown = await getJson(browser, '/second-step/setup').expect(200)
    expect(shown.body).to.include({ algorithm: 'SHA256', digits: 8, period: 60 })
    expect(shown.body.uri).to.match(/algorithm=SHA256&digits=8&period=60$/)
  })
})

describe('in production', () => {
  it('refuses counters that every process would have for itself', () =>
    inProduction(() => {
      const make = () => createSecondStep(LEAST)
      expect(make).to.throw(errors.ConfigurationError, '`counters` are missing')
    }))

  it('takes the counters that the host names, or the store has', () =>
    inProduction(() => {
      const { store } = LEAST
      const counters = memoryCounters()
      for (const given of [{ redis }, { counters }, { store: { ...store, counters } }]) {
        expect(() => createSecondStep({ ...LEAST, ...given })).to.not.throw()
      }
    }))

  it('refuses records that a restart forgets, when they are made', () =>
    // After a restart "no record" would read as "not enrolled", and the password would do.
    inProduction(() => {
      expect(memoryStore).to.throw(errors.ConfigurationError, 'use store: redisStore(redis)')
    }))

  it('refuses them in a process that learns late that it is production, and lets nobody in', async () => {
    const store = memoryStore()
    await inProduction(async () => {
      const host = makeHost({ options: { redis, store } })
      const browser = browserOf(host)
      const login = await passFirstStep(browser, ann).expect(503)
      expect(login.body.code).to.equal('unavailable')
      await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    })
  })
})
