// The mistake: with several devices fewer wrong codes lock than a sign-in has tries, and nobody is told: five tries
// are left, and the first wrong code locks all devices for a day.

import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { giveCode } from '../../support/browser.js'
import type { Host } from '../../support/host.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'
const WRONG = '000000'

/** Ann has so many fobs, and no app. */
async function withFobs(count: number): Promise<Host> {
  const { host, browser: admin } = await adminVisit()
  for (let nth = 1; nth <= count; nth += 1) {
    const body = { type: 'hotp', secret: `${nth}`.repeat(40), serial: `A-${nth}` }
    await postJson(admin, `${ADMIN}/users/ann/token`, body).expect(200)
  }
  return host
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
