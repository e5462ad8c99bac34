// Somebody reads the owner's mail and opens the link; somebody else knows the password, asks for a
// reset, and waits for the owner to press the button.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { isIn } from '../support/actions.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../support/answers.js'
import { browserOf, giveCode, signIn } from '../support/browser.js'
import { SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { lostVisit, member } from '../support/lost.js'
import { sessionsOf } from '../support/sessions.js'
import { pendingBrowser, recordOf } from '../support/visits.js'

const SETUP = '/second-step/setup'

describe('The mail alone never opens anything', () => {
  it('gives a reader of the mail no access by its link or its button', async () => {
    const { host, ask, link } = await lostVisit()
    await ask()
    const before = await recordOf(host)
    const reader = browserOf(host)
    for (let time = 0; time < 5; time += 1) {
      await getPage(reader, link()).expect(200)
      expectProblem(await postJson(reader, link()), 'not-signed-in', 401)
      expect((await postForm(reader, link())).status).to.equal(401)
    }
    for (const path of [SETUP, '/second-step/challenge', '/second-step/']) {
      expectProblem(await getJson(reader, path), 'not-signed-in', 401)
    }
    expect(await isIn(reader)).to.equal(false)
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('asks a visitor who opens it elsewhere to sign in with the password, and stays valid', async () => {
    const { host, ask, link } = await lostVisit()
    await ask()
    const elsewhere = browserOf(host)
    const page = await getPage(elsewhere, link()).expect(200)
    expect(page.text).to.contain('sign in with your password').and.not.contain('class="danger"')
    // Nor is it kept: the login leads where it would have led.
    const login = await elsewhere
      .post('/login')
      .set('Accept', 'application/json')
      .send({ username: ann.id, password: ann.password })
    expect(JSON.stringify(login.body)).not.to.contain('/lost/')
    await postJson(elsewhere, link()).expect(200)
    await getJson(elsewhere, SETUP).expect(200)
  })

  it('never stores the token where a login goes to', async () => {
    const { host, ask, link, enrolment } = await lostVisit()
    await ask()
    const browser = await pendingBrowser(host)
    for (const path of [link(), `${link()}/`, `${link()}?a=1`]) await getPage(browser, path)
    const stored = JSON.stringify(sessionsOf(host))
    expect(stored).to.contain('pending').and.not.contain(link().split('.')[1])
    const answer = await giveCode(browser, enrolment.backupCodes[0]).expect(200)
    expect(answer.body.next).to.equal('/inside')
  })

  it('helps nobody who knows the password and waits in another browser', async () => {
    const { host, browser, enrolment, ask, link } = await lostVisit()
    const attackers = [await pendingBrowser(host), await pendingBrowser(host)]
    const [first, second] = attackers
    if (first === undefined || second === undefined) throw new Error('there are two')
    // One of them has asked, so the mail names that one's browser.
    await ask(member.email, first)
    await postJson(browser, link()).expect(200)
    for (const attacker of attackers) {
      for (const path of [SETUP, '/second-step/challenge', '/second-step/']) {
        expectProblem(await getJson(attacker, path), 'sign-in-again', 401)
      }
      expectProblem(await giveCode(attacker, enrolment.code()), 'sign-in-again', 401)
      expectProblem(await postJson(attacker, SETUP, { code: '123456' }), 'sign-in-again', 401)
      expectProblem(await postJson(attacker, link()), 'link-expired', 410)
      expect(await isIn(attacker)).to.equal(false)
    }
    const { body } = await getJson(browser, SETUP).expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    await postJson(browser, SETUP, { code }).expect(200)
    expect(await isIn(browser)).to.equal(true)
  })

  it('ends the user’s sessions, with or without a passed code', async () => {
    const { host, browser, enrolment, ask, link } = await lostVisit()
    const thief = browserOf(host)
    await signIn(thief, ann, enrolment)
    host.system.advance(30 * SECOND)
    const asker = await pendingBrowser(host)
    await ask(member.email, asker)
    await postJson(asker, link()).expect(200)
    for (const each of [thief, browser]) expect(await isIn(each)).to.equal(false)
    expectProblem(await getJson(thief, '/second-step/'), 'not-signed-in', 401)
  })

  // Mattermost CVE-2026-3590: a link used in parallel worked more than once.
  it('resets once, however many press at once and in however many browsers', async () => {
    const { host, ask, link } = await lostVisit()
    await ask()
    const path = link()
    const browsers = await Promise.all(Array.from({ length: 50 }, () => pendingBrowser(host)))
    const done: string[] = []
    host.secondStep.events.on('mail-reset-done', ({ type }) => done.push(type))
    const before = await recordOf(host)
    const answers = await Promise.all(browsers.map((browser) => postJson(browser, path)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).to.deep.equal([200])
    const refused = answers.filter(({ status }) => status !== 200).map(({ body }) => body.code)
    for (const code of refused) expect(code).to.equal('link-expired')
    expect(done).to.deep.equal(['mail-reset-done'])
    expect((await recordOf(host)).epoch).to.equal(before.epoch + 1)
    const inSetup = await Promise.all(browsers.map((browser) => getJson(browser, SETUP)))
    expect(inSetup.filter(({ status }) => status === 200)).to.have.length(1)
  })

  it('resets once, too, for fifty clicks in one browser', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    const before = await recordOf(host)
    const path = link()
    const clicks = Array.from({ length: 50 }, () => postJson(browser, path))
    const statuses = (await Promise.all(clicks)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).to.deep.equal([200])
    expect((await recordOf(host)).epoch).to.equal(before.epoch + 1)
    expect(await isIn(browser)).to.equal(false)
  })

  it('opens nothing while an expired set-up after it asks for another reset', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    await postJson(browser, link()).expect(200)
    host.system.advance(24 * 60 * 60 * SECOND)
    const late = await pendingBrowser(host)
    expectProblem(await getJson(late, SETUP), 'code-required', 401)
    expectProblem(await postJson(late, link()), 'link-expired', 410)
    expect(await isIn(late)).to.equal(false)
  })
})
