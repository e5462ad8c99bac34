// Somebody has a user's password and a backup code out of the drawer, signs in with it, and goes straight to
// the route that pays out: a route may count the codes of devices alone.

import { expect } from 'chai'
import type { RequireFreshOptions } from '../../../lib/index.js'
import { getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, type HostOptions, makeHost } from '../../support/host.js'
import { ORIGIN } from '../../support/keys.js'
import { enrolledVisit, pendingBrowser, signedInVisit } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const FRESH = '/second-step/fresh'
const BACKUP_FORM = 'id="backup-code"'

const routes: HostOptions = {
  routes: ({ app, secondStep }) => {
    const strict = secondStep.requireFresh({ accepts: ['totp', 'hotp'] })
    app.get('/payout', strict, (_req, res) => res.send('the form'))
    app.post('/payout', strict, (_req, res) => res.json({ status: 'done' }))
    const fobs = secondStep.requireFresh({ accepts: ['hotp'] })
    app.get('/vault', fobs, (_req, res) => res.send('the vault'))
    app.post('/vault', fobs, (_req, res) => res.json({ status: 'done' }))
    app.get('/profile', secondStep.requireFresh(), (_req, res) => res.send('the profile'))
  },
}

/** Ann has signed in with a backup code. */
async function backupVisit() {
  const { host, enrolment } = await enrolledVisit(routes)
  const browser = await pendingBrowser(host)
  await giveCode(browser, enrolment.backupCodes[0]).expect(200)
  return { host, enrolment, browser }
}

async function expectTooWeak(browser: Browser, path: string, accepts: string[], next: string) {
  const { status, body } = await postJson(browser, path)
  const { code, ...rest } = body
  expect([status, code, rest.accepts, rest.next]).to.deep.equal([
    403,
    'stronger-factor-required',
    accepts,
    next,
  ])
  expect(body.type).to.equal('urn:second-step:stronger-factor-required')
  expect(body.detail).to.not.match(/[{}]/)
}

describe('a route with requireFresh that accepts some kinds of codes', () => {
  it('takes no backup code, however fresh, and takes an app code after it', async () => {
    const { browser, enrolment } = await backupVisit()
    await getPage(browser, '/profile').expect(200)
    await expectTooWeak(browser, '/payout', ['totp', 'hotp'], FRESH)
    await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
    await postJson(browser, '/payout').expect(200)
  })

  it('takes no app code after which a backup code was given', async () => {
    const { browser, enrolment } = await signedInVisit(routes)
    await postJson(browser, '/payout').expect(200)
    await postJson(browser, FRESH, { code: enrolment.backupCodes[0] }).expect(200)
    await expectTooWeak(browser, '/payout', ['totp', 'hotp'], FRESH)
  })

  it('takes an app code of the last five minutes alone', async () => {
    const { host, browser } = await signedInVisit(routes)
    host.system.advance(5 * MINUTE)
    const { body } = await postJson(browser, '/payout').expect(403)
    expect([body.code, body.next, body.accepts]).to.deep.equal([
      'fresh-code-required',
      FRESH,
      undefined,
    ])
  })

  it('leads to a page that says what counts, and offers no backup code', async () => {
    const { host, browser, enrolment } = await backupVisit()
    await getPage(browser, '/payout').expect(303).expect('Location', FRESH)
    const page = await getPage(browser, FRESH).expect(200)
    expect(page.text).to.include('This needs a code from an authenticator app')
    expect(page.text).to.not.include(BACKUP_FORM)
    // Typed all the same: it counts elsewhere, and leads back here.
    const back = await postForm(browser, FRESH, { code: enrolment.backupCodes[1] }).expect(303)
    expect(back.headers.location).to.equal('/payout')
    await getPage(browser, '/payout').expect(303).expect('Location', FRESH)
    host.system.advance(30 * SECOND)
    await postForm(browser, FRESH, { code: enrolment.code() }).expect(303)
    await getPage(browser, '/payout').expect(200, 'the form')
  })

  it('leaves the page as it was for the routes that accept every code', async () => {
    const { host, browser } = await signedInVisit(routes)
    host.system.advance(5 * MINUTE)
    await getPage(browser, '/payout').expect(303)
    expect((await getPage(browser, FRESH)).text).to.not.include(BACKUP_FORM)
    await getPage(browser, '/profile').expect(303)
    const page = await getPage(browser, FRESH)
    expect(page.text).to.include(BACKUP_FORM).and.not.include('This needs')
  })

  it('leads whoever has no such device to the settings, and not in circles', async () => {
    const { browser } = await signedInVisit(routes)
    await expectTooWeak(browser, '/vault', ['hotp'], '/second-step/')
    const page = await getPage(browser, '/vault').expect(403)
    expect(page.text).to.include('This needs a code from a device that counts its codes.')
    expect(page.text).to.include('href="/second-step/"')
  })

  it('asks nothing else of whoever has no second step', async () => {
    const host = makeHost({
      routes: ({ app, secondStep }) => {
        const rule = { accepts: ['totp'], notEnrolled: 'pass' } as const
        app.post('/payout', secondStep.requireFresh(rule), (_req, res) => res.json({}))
        app.post('/vault', secondStep.requireFresh({ accepts: ['totp'] }), (_req, res) =>
          res.json({}),
        )
      },
    })
    const browser = browserOf(host)
    await browser.post('/login').send({ username: 'ann', password: ann.password })
    await postJson(browser, '/payout').expect(200)
    expect((await postJson(browser, '/vault').expect(403)).body.code).to.equal('setup-required')
    expect((await getJson(browser, '/inside')).status).to.equal(200)
  })

  it('leads whoever has no second step to the set-up of what counts', async () => {
    const webauthn = { rpId: 'acme.example', origins: [ORIGIN] }
    const host = makeHost({
      options: { webauthn, authenticators: ['totp', 'webauthn'] },
      routes: ({ app, secondStep }) => {
        for (const [path, accepts] of Object.entries({
          '/keys': ['webauthn'],
          '/either': ['webauthn', 'totp'],
        } as const)) {
          app.post(path, secondStep.requireFresh({ accepts }), (_req, res) => res.json({}))
        }
      },
    })
    const browser = browserOf(host)
    await browser.post('/login').send({ username: 'ann', password: ann.password })
    const nextOf = async (path: string) => (await postJson(browser, path).expect(403)).body.next
    expect(await nextOf('/keys')).to.equal('/second-step/setup?type=webauthn')
    expect(await nextOf('/either')).to.equal('/second-step/setup')
  })

  // The mistake: until somebody first opens the vault, a backup code shows the app's key and opens it after.
  it('tells where the rule is made in a handler, and so binds too late', async () => {
    const lateHost: HostOptions = {
      routes: ({ app, secondStep }) => {
        app.post('/vault', (req, res, next) =>
          secondStep.requireFresh({ accepts: ['totp', 'hotp'] })(req, res, next),
        )
      },
    }
    const said = await warningsDuring(async () => {
      const { browser } = await signedInVisit(lateHost)
      await postJson(browser, '/vault')
      await postJson(browser, '/vault')
    })
    const late = said.filter((one) => one.includes("requireFresh({ accepts: ['totp', 'hotp'] })"))
    expect(late).to.have.length(1)
    const inTime = await warningsDuring(async () => {
      const { browser } = await signedInVisit(routes)
      await postJson(browser, '/vault')
    })
    expect(inTime.join()).not.to.include('requireFresh')
  })

  it('refuses a rule that is wrong, or that nobody could fulfil, at start-up', () => {
    const { secondStep } = makeHost()
    const make = (accepts: unknown) => () =>
      secondStep.requireFresh({ accepts } as RequireFreshOptions)
    for (const accepts of ['totp', ['totp', 'sms'], ['totp', 'one-time-code'], [null], null]) {
      expect(make(accepts), JSON.stringify(accepts)).to.throw(
        '`requireFresh.accepts` must be a list of totp, hotp, ',
      )
    }
    for (const accepts of [[], ['backup-code']]) {
      expect(make(accepts), JSON.stringify(accepts)).to.throw('without a device nobody has')
    }
    for (const accepts of [['webauthn'], ['webauthn', 'backup-code']]) {
      expect(make(accepts), JSON.stringify(accepts)).to.throw('give the option `webauthn`')
    }
    const webauthn = { rpId: 'acme.example', origins: [ORIGIN] }
    makeHost({ options: { webauthn } }).secondStep.requireFresh({ accepts: ['webauthn'] })
    const offered = makeHost({ options: { webauthn, authenticators: ['totp'] } })
    expect(() => offered.secondStep.requireFresh({ accepts: ['webauthn'] })).to.throw(
      'have webauthn among `authenticators`',
    )
  })
})
