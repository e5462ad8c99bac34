// The attack: somebody has a session's cookie, and has a slow request write the session back after it
// was logged out. They keep still until the record has forgotten it, and come back.

import { expect } from 'chai'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'
import { missTimes, pendingBrowser, pendingVisit, recordOf } from '../../support/visits.js'

interface Session {
  readonly browser: Browser
  readonly cookie: string
}

async function signedIn(host: Host, enrolment: Enrolment): Promise<Session> {
  const browser = browserOf(host)
  host.system.advance(MINUTE)
  await passFirstStep(browser, ann).expect(200)
  return { browser, cookie: cookieOf(await giveCode(browser, enrolment.code()).expect(200)) }
}

async function logOutOften(times: number, host: Host, enrolment: Enrolment): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const { browser } = await signedIn(host, enrolment)
    await browser.post('/logout').expect(200)
  }
}

async function isIn(browser: Browser): Promise<boolean> {
  return (await getJson(browser, '/inside')).status === 200
}

describe('a session that was logged out and written back', () => {
  it('stays ended after 51 more log-outs', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const { browser, cookie } = await signedIn(host, enrolment)
    const slow = slowRequest(host, cookie)
    await browser.post('/logout').expect(200)
    await logOutOften(51, host, enrolment)
    slow.writeBack()
    expect(await isIn(useCookie(browserOf(host), cookie))).to.equal(false)
  })

  it('stays ended after 51 more log-outs, in the state that a fresh code gave it', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const { browser } = await signedIn(host, enrolment)
    host.system.advance(MINUTE)
    const fresh = await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
    const slow = slowRequest(host, cookieOf(fresh))
    await browser.post('/logout').expect(200)
    await logOutOften(51, host, enrolment)
    slow.writeBack()
    expect(await isIn(useCookie(browserOf(host), cookieOf(fresh)))).to.equal(false)
  })

  it('stays ended after months', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const { browser, cookie } = await signedIn(host, enrolment)
    const slow = slowRequest(host, cookie)
    await browser.post('/logout').expect(200)
    host.system.advance(100 * DAY)
    await logOutOften(1, host, enrolment)
    slow.writeBack()
    expect(await isIn(useCookie(browserOf(host), cookie))).to.equal(false)
  })

  it('takes no session along that began after it, whatever the clock said then', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const ahead = await signedIn(host, enrolment)
    host.system.advance(DAY)
    await ahead.browser.post('/logout').expect(200)
    host.system.advance(-DAY)
    const owner = await signedIn(host, enrolment)
    await logOutOften(50, host, enrolment)
    expect(await isIn(owner.browser)).to.equal(true)
    const { ended } = await recordOf(host)
    expect(ended).to.have.length(50)
  })
})

describe('a pending login that is over and was written back', () => {
  it('stays over where it was cancelled, or logged out', async () => {
    for (const way of ['/second-step/cancel', '/logout']) {
      const host = makeHost()
      const enrolment = await enrol(host, ann)
      const browser = browserOf(host)
      const cookie = cookieOf(await passFirstStep(browser, ann).expect(200))
      const slow = slowRequest(host, cookie)
      await postJson(browser, way).expect(200)
      slow.writeBack()
      const thief = useCookie(browserOf(host), cookie)
      expectProblem(await getJson(thief, '/second-step/challenge'), 'sign-in-again', 401)
      expectProblem(await giveCode(thief, enrolment.code()), 'sign-in-again', 401)
    }
  })

  it('stays over where its wrong codes are used up, also once their counts are lost', async () => {
    const visit = await pendingVisit()
    await missTimes(5, visit)
    // The guard asks the record alone, and no counter.
    expectProblem(await getJson(visit.browser, '/second-step/challenge'), 'sign-in-again', 401)
    expectProblem(await giveCode(visit.browser, visit.enrolment.code()), 'sign-in-again', 401)
  })

  it('stays over where guesses at a backup code have used it up', async () => {
    const { browser } = await pendingVisit()
    const guess = 'ZZZZZZ-ZZZZZZ-ZZZZZZ-ZZZZZZ'
    for (let miss = 0; miss < 5; miss += 1) await giveCode(browser, guess).expect(401)
    expectProblem(await getJson(browser, '/second-step/challenge'), 'sign-in-again', 401)
  })

  it('costs the owner nothing where somebody who has the password cancels sixty', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const owner = await signedIn(host, enrolment)
    host.system.advance(MINUTE)
    const waiting = await pendingBrowser(host)
    for (let time = 0; time < 60; time += 1) {
      await postJson(await pendingBrowser(host), '/second-step/cancel').expect(200)
    }
    expect(await isIn(owner.browser)).to.equal(true)
    await giveCode(waiting, enrolment.code()).expect(200)
    const { endedLogins } = await recordOf(host)
    expect(endedLogins.length).to.be.at.most(20)
    host.system.advance(11 * MINUTE)
    await postJson(await pendingBrowser(host), '/second-step/cancel').expect(200)
    expect((await recordOf(host)).endedLogins, 'of old ones nothing is kept').to.have.length(1)
  })
})
