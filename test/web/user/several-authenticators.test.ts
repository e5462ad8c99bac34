// The attacks: a session without a code binds a device of its own, or removes the owner's; a lost device
// still signs in after its owner removed it; a name of one page's device puts script into it.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import {
  expectMalformed,
  expectProblem,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { type Browser, browserOf, giveCode } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import type { Host, HostOptions } from '../../support/host.js'
import {
  pendingBrowser,
  recordOf,
  setPolicy,
  signedInVisit,
  type Visit,
} from '../../support/visits.js'

const BASE = '/second-step/'
const ADD = '/second-step/authenticators'

interface Shown {
  readonly id: string
  readonly type: string
  readonly name: string | null
  readonly since: string
  readonly lastUsedAt: string | null
  readonly serial: string | null
  readonly synced: boolean | null
}

const listOf = async (browser: Browser): Promise<readonly Shown[]> =>
  (await getJson(browser, BASE).expect(200)).body.authenticators

/** The app's code of the next step, so that it was not used. */
function nextCode({ host, enrolment }: Pick<Visit, 'host' | 'enrolment'>): string {
  host.system.advance(30 * SECOND)
  return enrolment.code()
}

/** Adds a device of this name, and answers with its codes. */
async function addDevice(visit: Visit, name?: string) {
  const { host, browser } = visit
  const shown = await postJson(browser, ADD, { code: nextCode(visit), type: 'totp' }).expect(200)
  const device = virtualAuthenticator(shown.body.uri)
  const code = () => device.code(host.system.now())
  const confirmed = await postJson(browser, '/second-step/setup', { code: code(), name })
  expect(confirmed.status, JSON.stringify(confirmed.body)).to.equal(200)
  host.system.advance(30 * SECOND)
  return { code, shown, confirmed }
}

const lets = async (host: Host, code: string) =>
  (await giveCode(await pendingBrowser(host), code)).status === 200

async function withSpare(options: HostOptions = {}) {
  const visit = await signedInVisit(options)
  const spare = await addDevice(visit, 'Spare phone')
  const [first, second] = await listOf(visit.browser)
  if (first === undefined || second === undefined) throw new Error('two devices are not listed')
  return { ...visit, spare, first, second }
}

describe('another device', () => {
  it('is added by a code of the present one, with its own key; both sign in', async () => {
    const visit = await signedInVisit()
    const { host, browser, enrolment } = visit
    const { shown, confirmed, code } = await addDevice(visit, '  Spare   phone ')
    expect(shown.body).to.include({ type: 'totp', digits: 6, period: 30 })
    expect(shown.body.secret)
      .to.match(/^[A-Z2-7]{32}$/)
      .and.not.equal(enrolment.secret)
    expect(confirmed.body).to.have.all.keys('status', 'backupCodes', 'next')
    expect(confirmed.body.backupCodes).to.have.length(10)
    const listed = await listOf(browser)
    expect(listed.map(({ name }) => name)).to.deep.equal([null, 'Spare phone'])
    for (const one of listed) {
      expect(one).to.have.all.keys('id', 'type', 'name', 'since', 'lastUsedAt', 'serial', 'synced')
      expect(one).to.include({ type: 'totp', serial: null, synced: null })
      expect(new Date(one.since).toISOString()).to.equal(one.since)
    }
    expect(await lets(host, enrolment.code())).to.equal(true)
    expect(await lets(host, code())).to.equal(true)
    expect(await lets(host, code()), 'twice').to.equal(false)
  })

  it('is added by nobody without a code, and by no unknown kind', async () => {
    const visit = await signedInVisit()
    const { browser } = visit
    expectMalformed(await postJson(browser, ADD, {}), 'code')
    expectProblem(await postJson(browser, ADD, { code: '000000' }), 'wrong-code', 401)
    expectMalformed(await postJson(browser, ADD, { code: nextCode(visit), type: 'sms' }), 'type')
    expectProblem(
      await postJson(browser, ADD, { code: nextCode(visit), type: 'hotp' }),
      'switched-off',
      409,
    )
    expect(await listOf(browser)).to.have.length(1)
    expectProblem(await postJson(browserOf(visit.host), ADD, {}), 'not-signed-in', 401)
    const pending = await pendingBrowser(visit.host)
    expectProblem(await postJson(pending, ADD, {}), 'code-required', 401)
  })

  it('ends every other session, and this one stays', async () => {
    const visit = await signedInVisit()
    const other = await pendingBrowser(visit.host)
    await giveCode(other, nextCode(visit)).expect(200)
    await addDevice(visit)
    await visit.browser.get('/inside').expect(200)
    expect((await getJson(other, '/inside')).status).to.not.equal(200)
  })

  it('is the fifth at most; a sixth costs no attempt', async () => {
    const visit = await signedInVisit()
    for (const name of ['2', '3', '4', '5']) await addDevice(visit, name)
    const refused = await postJson(visit.browser, ADD, { code: nextCode(visit) })
    expectProblem(refused, 'already-enrolled', 409)
    expect(refused.body.detail).to.include('5')
    expect(await listOf(visit.browser)).to.have.length(5)
    expect(await lets(visit.host, visit.enrolment.code()), 'the code was not used').to.equal(true)
  })

  it('keeps the key and the code when its name is wrong', async () => {
    const visit = await withSpare()
    const { host, browser } = visit
    const shown = await postJson(browser, ADD, { code: nextCode(visit) }).expect(200)
    const device = virtualAuthenticator(shown.body.uri)
    const confirm = (name: unknown) =>
      postJson(browser, '/second-step/setup', { code: device.code(host.system.now()), name })
    for (const name of ['SPARE PHONE', 'x'.repeat(41), 'a\u202eb', 5, ['x'], '\u200b']) {
      expectMalformed(await confirm(name), 'name')
    }
    expect((await recordOf(host)).setup?.misses).to.equal(0)
    await confirm('Tablet').expect(200)
  })
})

describe('a device’s name', () => {
  it('is changed without a code, and signs nobody out', async () => {
    const { browser, first, second } = await withSpare()
    const path = (id: string) => `${ADD}/${id}/rename`
    const renamed = await postJson(browser, path(first.id), { name: ' My phone ' }).expect(200)
    expect(renamed.body).to.have.all.keys('authenticators')
    const names = renamed.body.authenticators.map(({ name }: Shown) => name)
    expect(names).to.deep.equal(['My phone', 'Spare phone'])
    for (const name of [undefined, '', ' ', 'spare PHONE', 'x'.repeat(41), 7, 'a\nb']) {
      expectMalformed(await postJson(browser, path(first.id), { name }), 'name')
    }
    expectProblem(await postJson(browser, path('gone'), { name: 'x' }), 'not-found', 404)
    await postJson(browser, path(second.id), { name: 'Spare phone' }).expect(200)
    await browser.get('/inside').expect(200)
  })

  it('is shown on the page as text', async () => {
    const { browser, first } = await withSpare()
    const name = '<script>alert(1)</script>'
    await postForm(browser, `${ADD}/${first.id}/rename`, { name }).expect(303)
    const page = await getPage(browser, BASE).expect(200)
    expect(page.text).to.include('&lt;script&gt;alert(1)').and.to.not.include('<script>alert')
    const refused = await postForm(browser, `${ADD}/${first.id}/rename`, { name: 'a\u202eb' })
    expect(refused.status).to.equal(400)
    expect(refused.text).to.include('value="a\u202eb"')
  })
})

describe('removing a device', () => {
  const path = (id: string) => `${ADD}/${id}/remove`

  it('takes a code of any of them, and its codes let nobody in any more', async () => {
    const visit = await withSpare()
    const { host, browser, spare, first, second } = visit
    const other = await pendingBrowser(host)
    await giveCode(other, spare.code()).expect(200)
    expectMalformed(await postJson(browser, path(second.id), {}), 'code')
    expectProblem(await postJson(browser, path(second.id), { code: '000000' }), 'wrong-code', 401)
    expectProblem(
      await postJson(browser, path('gone'), { code: nextCode(visit) }),
      'not-found',
      404,
    )
    const removed = await postJson(browser, path(second.id), { code: nextCode(visit) })
    expect(removed.status).to.equal(200)
    expect(removed.body).to.deep.equal({ authenticators: await listOf(browser) })
    expect(removed.body.authenticators.map(({ id }: Shown) => id)).to.deep.equal([first.id])
    host.system.advance(30 * SECOND)
    expect(await lets(host, spare.code())).to.equal(false)
    expect(await lets(host, visit.enrolment.code())).to.equal(true)
    await browser.get('/inside').expect(200)
    expect((await getJson(other, '/inside')).status, 'other sessions').to.not.equal(200)
  })

  it('keeps the backup codes', async () => {
    const visit = await withSpare()
    const [code = ''] = visit.spare.confirmed.body.backupCodes
    await postJson(visit.browser, path(visit.second.id), { code: nextCode(visit) }).expect(200)
    expect(await lets(visit.host, code)).to.equal(true)
  })

  it('turns the second step off with the last one, where the policy lets the user do without', async () => {
    const visit = await signedInVisit()
    const { host, browser } = visit
    const [only] = await listOf(browser)
    const there = path(only?.id ?? '')
    await setPolicy(host, {
      mode: 'required',
      graceDays: 0,
      requiredSince: { general: 1, roles: {} },
    })
    const refused = await postJson(browser, there, { code: nextCode(visit) })
    expectProblem(refused, 'required-by-policy', 409)
    await setPolicy(host, { mode: 'optional' })
    const removed = await postJson(browser, there, { code: nextCode(visit) }).expect(200)
    expect(removed.body).to.deep.equal({ authenticators: [] })
    expect((await host.secondStep.status('ann')).state).to.equal('off')
    expect((await recordOf(host)).backupCodes).to.equal(null)
    await browser.get('/inside').expect(200)
  })
})

describe('changing one of several keys', () => {
  it('says which one; the other works on', async () => {
    const visit = await withSpare()
    const { host, browser, spare, first } = visit
    const change = (body: object) => postJson(browser, '/second-step/change-key', body)
    expectMalformed(await change({ code: nextCode(visit) }), 'id')
    expectProblem(await change({ code: nextCode(visit), id: 'gone' }), 'not-found', 404)
    const shown = await change({ code: nextCode(visit), id: first.id }).expect(200)
    const device = virtualAuthenticator(shown.body.uri)
    const code = () => device.code(host.system.now())
    await postJson(browser, '/second-step/setup', { code: code() }).expect(200)
    host.system.advance(30 * SECOND)
    expect(await lets(host, spare.code())).to.equal(true)
    expect(await lets(host, visit.enrolment.code()), 'the old key').to.equal(false)
    expect(await lets(host, code())).to.equal(true)
  })

  it('shows the key of the one that is named', async () => {
    const visit = await withSpare()
    const { browser, spare, second } = visit
    const show = (body: object) => postJson(browser, '/second-step/show-key', body)
    expectMalformed(await show({ code: nextCode(visit) }), 'id')
    const shown = await show({ code: nextCode(visit), id: second.id }).expect(200)
    expect(shown.body.secret).to.equal(spare.shown.body.secret)
  })
})

// The mistake: of two devices one is stolen, and neither its owner nor an admin sees which one signs in.
describe('the events of several devices', () => {
  it('say by which one a code came', async () => {
    const { host, browser, spare, enrolment } = await withSpare()
    expect(await lets(host, spare.code())).to.equal(true)
    host.system.advance(30 * SECOND)
    expect(await lets(host, enrolment.code())).to.equal(true)
    const { body } = await getJson(browser, BASE).expect(200)
    const [byFirst, bySpare] = body.events
    expect(byFirst).to.deep.include({ type: 'code-accepted', detail: { name: null, serial: null } })
    expect(bySpare.detail).to.deep.equal({ name: 'Spare phone', serial: null })
    const page = await getPage(browser, BASE).expect(200)
    expect(page.text).to.match(/Second step passed<\/strong>: <bdi>Spare phone<\/bdi>/)
    expect(page.text).to.match(/Second step passed<\/strong>: <bdi>Authenticator app<\/bdi>/)
  })
})

describe('the pages of several devices', () => {
  it('need no script: add, name, rename, change and remove', async () => {
    const visit = await signedInVisit()
    const { host, browser } = visit
    await postForm(browser, ADD, { code: nextCode(visit) })
      .expect(303)
      .expect('location', '/second-step/setup')
    const setup = await getPage(browser, '/second-step/setup').expect(200)
    expect(setup.text).to.include('Add another device').and.to.include('name="name"')
    const [, uri = ''] = /href="(otpauth:[^"]+)"/.exec(setup.text) ?? []
    const device = virtualAuthenticator(uri.replaceAll('&amp;', '&'))
    const code = device.code(host.system.now())
    const wrong = await postForm(browser, '/second-step/setup', { code, name: 'x'.repeat(41) })
    expect(wrong.status).to.equal(400)
    expect(wrong.text)
      .to.include('40 characters')
      .and.to.include(`value="${'x'.repeat(41)}"`)
    const codes = await postForm(browser, '/second-step/setup', { code, name: 'Tablet' })
    expect(codes.text).to.include('Your new device is set up')
    const [first, second] = await listOf(browser)
    const page = await getPage(browser, BASE).expect(200)
    for (const id of [first?.id, second?.id]) {
      expect(page.text).to.include(`action="${ADD}/${id}/rename"`)
      expect(page.text).to.include(`action="${ADD}/${id}/remove"`)
    }
    expect(page.text).to.include('Tablet')
    const there = `${ADD}/${second?.id}/remove`
    const mistyped = await postForm(browser, there, { code: '1' }).expect(400)
    expect(mistyped.text).to.include('<details class="action" open>')
    await postForm(browser, there, { code: nextCode(visit) })
      .expect(303)
      .expect('location', BASE)
    expect((await getPage(browser, BASE)).text).to.include('The device was removed')
    await getPage(browser, there).expect(303).expect('location', BASE)
  })
})
