// The mistake: with several devices fewer wrong codes lock than a sign-in has tries, and nobody is told: five tries
// are left, and the first wrong code locks all devices for a day.

import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { giveCode } from '../../support/browser.js'
import type { Host } from '../../support/host.js'
import { oathtool } from '../../support/oathtool.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'
const WRONG = '000000'

/** Ann has so many fobs, and no app. */
async function withFobs(count: number): Promise<Host> {
  return (await fobsOf(count)).host
}

async function fobsOf(count: number) {
  const { host, browser: admin } = await adminVisit()
  for (let nth = 1; nth <= count; nth += 1) {
    const body = { type: 'hotp', secret: `${nth}`.repeat(40), serial: `A-${nth}` }
    await postJson(admin, `${ADMIN}/users/ann/token`, body).expect(200)
  }
  return { host, admin }
}

describe('the tries before the lock', () => {
  it('are those that are left, if the sign-in has more: with two fobs two', async () => {
    const host = await withFobs(2)
    const login = await pendingBrowser(host)
    expect((await getJson(login, CHALLENGE).expect(200)).body.triesLeft).to.equal(2)
    expectProblem(await giveCode(login, WRONG), 'wrong-code', 401)
    expect((await getJson(login, CHALLENGE).expect(200)).body.triesLeft).to.equal(1)
    const second = await giveCode(login, WRONG)
    expectProblem(second, 'wrong-code', 401)
    expect(second.body.detail).to.include('not accepted for a while')
    expect((await getJson(login, CHALLENGE).expect(200)).body.triesLeft).to.equal(0)
    expectProblem(await giveCode(login, WRONG), 'too-many-attempts', 429)
  })

  it('are said on the page before the one that locks', async () => {
    const host = await withFobs(2)
    const login = await pendingBrowser(host)
    const page = await getPage(login, CHALLENGE).expect(200)
    expect(page.text).to.include('After 2 more wrong codes').and.not.include('sign in again')
    const first = await postForm(login, CHALLENGE, { code: WRONG }).expect(401)
    expect(first.text).to.include('After one more wrong code')
    const second = await postForm(login, CHALLENGE, { code: WRONG }).expect(401)
    expect(second.text).to.include('not accepted for a while').and.include('name="code"')
    expect(second.text).not.to.include('more wrong code')
    expect((await getPage(login, CHALLENGE).expect(200)).text).not.to.include('more wrong code')
  })

  it('are one with five fobs', async () => {
    const host = await withFobs(5)
    expect((await recordOf(host)).authenticators).to.have.length(5)
    const login = await pendingBrowser(host)
    expect((await getJson(login, CHALLENGE).expect(200)).body.triesLeft).to.equal(1)
  })
})

// The mistake: a signed-in user types wrong codes, and the one that locks every device comes without a word.
describe('the tries before the lock, of a signed-in user', () => {
  const SETTINGS = '/second-step/'
  const PLACES = ['fresh', 'backup-codes', 'reset', 'disable', 'authenticators'] as const

  /** Ann is signed in with the first of so many fobs. */
  async function signedIn(count: number) {
    const { host, admin } = await fobsOf(count)
    const browser = await pendingBrowser(host)
    const code = await oathtool('--hotp', '--counter=0', '1'.repeat(40))
    await giveCode(browser, code).expect(200)
    return { browser, admin }
  }

  // The mistake: wrong codes have locked both devices, and the form to remove one says that the other works on.
  it('end what is said of the other devices', async () => {
    const { browser } = await signedIn(2)
    const others = async () => /Your other devices/.test((await getPage(browser, SETTINGS)).text)
    expect(await others()).to.equal(true)
    for (const _ of [1, 2])
      await postJson(browser, '/second-step/fresh', { code: WRONG }).expect(401)
    expect(await others()).to.equal(false)
  })

  for (const place of PLACES) {
    it(`are said at /${place} as at the login`, async () => {
      const { browser } = await signedIn(2)
      const there = SETTINGS + place
      const first = await postForm(browser, there, { code: WRONG }).expect(401)
      expect(first.text.match(/After one more wrong code/g)).to.have.length(1)
      const second = await postForm(browser, there, { code: WRONG }).expect(401)
      expect(second.text).to.include('not accepted for a while')
      expect(second.text).not.to.include('more wrong code')
      expectProblem(await postJson(browser, there, { code: WRONG }), 'too-many-attempts', 429)
    })
  }

  it('are said on the page of the code before the first one, and with each', async () => {
    const { browser } = await signedIn(2)
    const fresh = `${SETTINGS}fresh`
    expect((await getPage(browser, fresh).expect(200)).text).to.include('After 2 more wrong codes')
    const wrong = await postForm(browser, fresh, { code: WRONG }).expect(401)
    expect(wrong.text.match(/After one more wrong code/g)).to.have.length(1)
    const settings = await getPage(browser, SETTINGS).expect(200)
    expect(settings.text).to.include('After one more wrong code')
    const again = await postForm(browser, `${SETTINGS}resync`, { code: WRONG, nextCode: WRONG })
    expect(again.text).to.include('not accepted for a while')
  })

  // It would say so after each of them.
  it('are not said of a backup code, which locks nothing', async () => {
    const { browser, admin } = await signedIn(2)
    await postJson(admin, `${ADMIN}/users/ann/backup-codes`).expect(200)
    await postForm(browser, `${SETTINGS}fresh`, { code: WRONG }).expect(401)
    const wrong = await postForm(browser, `${SETTINGS}fresh`, { code: 'A'.repeat(24) })
    expect(wrong.text).to.include('That backup code didn’t work').and.not.include('more wrong code')
  })
})
