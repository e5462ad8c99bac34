// A device that counts its codes, of a user who sets it up themselves. The attack: a code that was given,
// or skipped by a press of the button, is given again.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { SecondStepOptions } from '../../../lib/index.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { oathtoolPress } from '../../support/oathtool.js'
import { pendingBrowser, recordOf, signedInVisit } from '../../support/visits.js'

const SETUP = '/second-step/setup'
const BOTH: NonNullable<SecondStepOptions['authenticators']> = ['totp', 'hotp']

async function signedIn(
  authenticators: typeof BOTH | 'default' = BOTH,
): Promise<{ host: Host; browser: Browser }> {
  const host = makeHost({ options: authenticators === 'default' ? {} : { authenticators } })
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  return { host, browser }
}

/** Ann has a fob whose code of counter 0 was used. */
async function withFob(): Promise<{ host: Host; browser: Browser; secret: string }> {
  const host = makeHost({ options: { authenticators: BOTH } })
  return { host, ...(await bindFob(host)) }
}

async function bindFob(host: Host): Promise<{ browser: Browser; secret: string }> {
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  const { body } = await getJson(browser, `${SETUP}?type=hotp`).expect(200)
  await postJson(browser, SETUP, { code: await oathtoolPress(body.secret, 0) }).expect(200)
  return { browser, secret: body.secret }
}

/** Begins a change of key by the fob's code of this counter. */
function changerOf(browser: Browser, secret: string) {
  return async (counter: number, more: object = {}) => {
    const code = await oathtoolPress(secret, counter)
    return postJson(browser, '/second-step/change-key', { code, ...more })
  }
}

describe('a device that counts its codes', () => {
  it('is set up by its own QR code, with a counter and no period', async () => {
    const { host, browser } = await signedIn()
    const { body } = await getJson(browser, `${SETUP}?type=hotp`).expect(200)
    expect(body).to.include({ type: 'hotp', algorithm: 'SHA1', digits: 6, period: null })
    expect(body.uri).to.equal(
      `otpauth://hotp/Acme:Ann?secret=${body.secret}&issuer=Acme&algorithm=SHA1&digits=6&counter=0`,
    )
    const fob = virtualAuthenticator(body.uri)
    await postJson(browser, SETUP, { code: fob.next() }).expect(200)
    const answer = await giveCode(await pendingBrowser(host), fob.next()).expect(200)
    expect(answer.body).to.include({ status: 'signed-in', method: 'hotp' })
    const settings = await getJson(browser, '/second-step/').expect(200)
    expect(settings.body).to.include({ enrolled: true, method: 'hotp' })
  })

  it('opens one door with each code, and none with those before it (oathtool)', async () => {
    const { host, secret } = await withFob()
    for (const counter of [1, 2, 7, 18]) {
      const code = await oathtoolPress(secret, counter)
      await giveCode(await pendingBrowser(host), code).expect(200)
      expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
    }
    expect((await recordOf(host)).attempts.misses, 'a code given twice is no guess').to.deep.equal(
      [],
    )
    for (const counter of [0, 1, 5, 17, 30]) {
      const code = await oathtoolPress(secret, counter)
      expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
    }
  })

  it('opens one door with one code, however many ask at once', async () => {
    const { host, secret } = await withFob()
    const code = await oathtoolPress(secret, 4)
    const browsers = await Promise.all(Array.from({ length: 8 }, () => pendingBrowser(host)))
    const answers = await Promise.all(browsers.map((browser) => giveCode(browser, code)))
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1)
  })

  it('is waited for by nobody: a press gives the next code', async () => {
    const { browser } = await withFob()
    const page = await browser.get('/second-step/fresh').set('Accept', 'text/html').expect(200)
    expect(page.text).not.to.include('has already been used')
    expect(page.text).to.include('Code from your device')
  })

  it('never has its key shown again: of two devices with one counter, one is soon out of step', async () => {
    const { host, browser, secret } = await withFob()
    const before = await recordOf(host)
    const code = await oathtoolPress(secret, 3)
    const shown = await postJson(browser, '/second-step/show-key', { code })
    expectProblem(shown, 'switched-off', 409)
    expect(shown.body.detail).to.include('counts its codes')
    expect(shown.text).not.to.include('otpauth')
    expect(await recordOf(host), 'no code is used up').to.deep.equal(before)
    const page = await postForm(browser, '/second-step/show-key', { code }).expect(409)
    expect(page.text).to.include('counts its codes').and.not.to.include('otpauth')
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text).not.to.include('/second-step/show-key')
  })

  it('beside an app: the key of the app alone is shown, with its id or without', async () => {
    const { host, browser, enrolment } = await signedInVisit({ options: { authenticators: BOTH } })
    host.system.advance(30 * SECOND)
    const asked = { code: enrolment.code(), type: 'hotp' }
    const { body } = await postJson(browser, '/second-step/authenticators', asked).expect(200)
    await postJson(browser, SETUP, { code: await oathtoolPress(body.secret, 0) }).expect(200)
    const [app, fob] = (await recordOf(host)).authenticators
    const show = (id: string | undefined) => {
      host.system.advance(30 * SECOND)
      const form = { code: enrolment.code(), ...(id === undefined ? {} : { id }) }
      return postJson(browser, '/second-step/show-key', form)
    }
    for (const id of [undefined, app?.id]) {
      expect((await show(id).expect(200)).body.secret).to.equal(enrolment.secret)
    }
    expectProblem(await show(fob?.id), 'switched-off', 409)
    expectProblem(await show('gone'), 'not-found', 404)
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text)
      .to.include(`"code-show-key:${app?.id}"`)
      .and.not.to.include(`"code-show-key:${fob?.id}"`)
  })

  it('takes a set-up in progress of the other kind over, for no longer than that one', async () => {
    const { host, browser } = await signedIn()
    const app = (await getJson(browser, SETUP).expect(200)).body
    expect(app).to.include({ type: 'totp', period: 30 })
    host.system.advance(60_000)
    const fob = (await getJson(browser, `${SETUP}?type=hotp`).expect(200)).body
    expect(fob.secret).not.to.equal(app.secret)
    expect(fob.expiresAt).to.equal(app.expiresAt)
    // A reload, and the page after a typo, show the same one.
    expect((await getJson(browser, SETUP).expect(200)).body).to.deep.equal(fob)
    expect((await getJson(browser, `${SETUP}?type=hotp`).expect(200)).body).to.deep.equal(fob)
    const late = virtualAuthenticator(app.uri).code(host.system.now())
    expectProblem(await postJson(browser, SETUP, { code: late }), 'wrong-code', 401)
  })

  it('is offered by the page of the other kind', async () => {
    const { browser } = await signedIn()
    const page = await browser.get(SETUP).set('Accept', 'text/html').expect(200)
    expect(page.text).to.include('href="/second-step/setup?type=hotp"')
    const other = await browser.get(`${SETUP}?type=hotp`).set('Accept', 'text/html').expect(200)
    expect(other.text)
      .to.include('href="/second-step/setup?type=totp"')
      .and.include('counter-based')
  })

  it('is refused where the app does not offer it, and a kind that is none is malformed', async () => {
    const { browser } = await signedIn('default')
    expectProblem(await getJson(browser, `${SETUP}?type=hotp`), 'switched-off', 409)
    for (const type of ['', 'HOTP', 'sms', 'totp&type=hotp']) {
      const answer = await getJson(browser, `${SETUP}?type=${type}`)
      expectProblem(answer, 'malformed-request', 400)
      expect(answer.body.field).to.equal('type')
    }
    const page = await browser.get(SETUP).set('Accept', 'text/html').expect(200)
    expect(page.text).not.to.include('type=hotp')
  })

  it('alone is set up where the app offers nothing else', async () => {
    const { browser } = await signedIn(['hotp'])
    expect((await getJson(browser, SETUP).expect(200)).body.type).to.equal('hotp')
    expectProblem(await getJson(browser, `${SETUP}?type=totp`), 'switched-off', 409)
  })

  it('says how many digits its codes have', async () => {
    const { host } = await withFob()
    const answer = await giveCode(await pendingBrowser(host), '12345678')
    expectProblem(answer, 'malformed-request', 400)
    expect(answer.body.detail).to.match(/^A code has 6 digits/)
  })

  it('is one more beside an app: either opens one door, and the app can go', async () => {
    const { host, browser, enrolment } = await signedInVisit({ options: { authenticators: BOTH } })
    host.system.advance(30 * SECOND)
    const asked = { code: enrolment.code(), type: 'hotp' }
    const { body } = await postJson(browser, '/second-step/authenticators', asked).expect(200)
    expect(body).to.include({ type: 'hotp', period: null })
    const first = { code: await oathtoolPress(body.secret, 0), name: 'Fob' }
    await postJson(browser, SETUP, first).expect(200)
    host.system.advance(30 * SECOND)
    const login = await pendingBrowser(host)
    expect((await getJson(login, '/second-step/challenge')).body.methods).to.include.members([
      'totp',
      'hotp',
    ])
    const page = await login.get('/second-step/challenge').set('Accept', 'text/html').expect(200)
    expect(page.text).to.include('Code from your app or device')
    await giveCode(login, enrolment.code()).expect(200)
    const next = await oathtoolPress(body.secret, 1)
    await giveCode(await pendingBrowser(host), next).expect(200)
    const [app] = (await recordOf(host)).authenticators
    const remove = `/second-step/authenticators/${app?.id}/remove`
    const code = await oathtoolPress(body.secret, 2)
    const left = await postJson(login, remove, { code }).expect(200)
    expect(left.body.authenticators).to.have.length(1)
    host.system.advance(30 * SECOND)
    const dead = await giveCode(await pendingBrowser(host), enrolment.code())
    expectProblem(dead, 'wrong-code', 401)
    const last = await oathtoolPress(body.secret, 3)
    await giveCode(await pendingBrowser(host), last).expect(200)
  })

  it('is followed by one of its kind, unless another kind is asked for', async () => {
    const { host, browser, secret } = await withFob()
    const change = changerOf(browser, secret)
    expect((await change(1)).body.type).to.equal('hotp')
    expect((await change(2, { type: 'totp' })).body).to.include({ type: 'totp', period: 30 })
    expect((await change(3, { type: 'hotp' })).body.type).to.equal('hotp')
    const before = await recordOf(host)
    for (const type of ['', 'HOTP', 7]) {
      const answer = await change(4, { type })
      expectProblem(answer, 'malformed-request', 400)
      expect(answer.body.field).to.equal('type')
    }
    expect(await recordOf(host), 'no code is used up').to.deep.equal(before)
  })

  it('is followed by an app where the host no longer offers its kind', async () => {
    const keys: [string] = [randomBytes(32).toString('base64')]
    const first = makeHost({ options: { keys, authenticators: BOTH } })
    const { secret } = await bindFob(first)
    const { system, store } = first
    const later = makeHost({ system, options: { keys, store } })
    const browser = await pendingBrowser(later)
    await giveCode(browser, await oathtoolPress(secret, 1)).expect(200)
    const change = changerOf(browser, secret)
    expectProblem(await change(2, { type: 'hotp' }), 'switched-off', 409)
    expect((await change(3)).body.type).to.equal('totp')
  })

  it('is set up in place of an app, whose set-up was begun first', async () => {
    const { host, browser, enrolment } = await signedInVisit({ options: { authenticators: BOTH } })
    host.system.advance(30 * SECOND)
    const begun = await postJson(browser, '/second-step/change-key', { code: enrolment.code() })
    expect(begun.body.type).to.equal('totp')
    const { body } = await getJson(browser, `${SETUP}?type=hotp`).expect(200)
    await postJson(browser, SETUP, { code: await oathtoolPress(body.secret, 0) }).expect(200)
    expect((await recordOf(host)).authenticators.map(({ type }) => type)).to.deep.equal(['hotp'])
  })
})
