// The attack: a request is held back while its user signs out elsewhere; when its body comes, the
// host's session store writes the session back. It must be dead, also where no second step was passed:
// whoever has the cookie could set one up with a phone of their own.

import { expect } from 'chai'
import express from 'express'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, editSession, slowRequest, useCookie } from '../../support/sessions.js'

/** The cookie of Bob's session, which was logged out and then written back by a parked request. */
async function writtenBack(host: Host): Promise<string> {
  const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
  const parked = await park(host, '/profile', { cookie, like: { a: 1 } })
  await useCookie(browserOf(host), cookie).post('/logout').expect(200)
  await parked.finish({ a: 1 })
  return cookie
}

const hostWithProfile = () =>
  makeHost({
    mount: ({ app }) =>
      void app.post('/profile', express.json(), (req, res) => {
        Reflect.set(req.session, 'touched', true)
        res.json({})
      }),
  })

describe('a session that was logged out and is written back', () => {
  it('is dead, also of a user without a second step', async () => {
    const host = hostWithProfile()
    const cookie = await writtenBack(host)
    await useCookie(browserOf(host), cookie).get('/inside').expect(401)
  })
})

// The attack: the same with a session that is older than the package. It has no stamp that a log-out could end.
describe('a session without a stamp that was logged out and is written back', () => {
  async function oldSession(host: Host): Promise<string> {
    const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
    editSession(host, (session) => void Reflect.deleteProperty(session, 'secondStep'))
    return cookie
  }

  it('is dead, and others of the same user live on', async () => {
    for (const revocation of [{ within: '5s' }, undefined] as const) {
      const host = makeHost(revocation === undefined ? {} : { options: { revocation } })
      const [cookie, other] = [await oldSession(host), await oldSession(host)]
      const slow = slowRequest(host, cookie)
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(200)
      await useCookie(browserOf(host), cookie).post('/logout').expect(200)
      slow.writeBack()
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401, { user: null })
      await getJson(useCookie(browserOf(host), other), '/inside').expect(200)
    }
  })

  it('is no other one for a second step that is set up in it', async () => {
    const host = makeHost()
    const cookie = await oldSession(host)
    const browser = useCookie(browserOf(host), cookie)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    await postJson(browser, '/second-step/setup', { code }).expect(200)
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401, { user: null })
  })
})

// The attack: somebody has learned a session's id. A code at /fresh gives the session a new one, but a slow
// request writes the old one back.
describe('a session whose id /fresh has replaced, and that is written back', () => {
  async function freshVisit() {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    let cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const slow = [slowRequest(host, cookie)]
    const cookies = [cookie]
    const refresh = async () => {
      host.system.advance(30 * SECOND)
      const given = await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
      expect(given.status).to.equal(200)
      cookie = cookieOf(given)
      slow.push(slowRequest(host, cookie))
      cookies.push(cookie)
    }
    return { host, browser, slow, cookies, refresh }
  }

  it('is dead, after several of them too, and the session itself lives on', async () => {
    const { host, browser, slow, cookies, refresh } = await freshVisit()
    for (let time = 0; time < 3; time += 1) await refresh()
    for (const [index, cookie] of cookies.slice(0, -1).entries()) {
      slow[index]?.writeBack()
      const thief = useCookie(browserOf(host), cookie)
      await getJson(thief, '/inside').expect(401, { user: null })
      expect((await getJson(thief, '/second-step/challenge')).body.code).to.equal('not-signed-in')
    }
    await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('takes one place of the ended sessions, so that no other session ends by it', async () => {
    const { host, browser, refresh } = await freshVisit()
    await refresh()
    await refresh()
    expect((await host.store.find('ann'))?.ended).to.have.length(1)
    await postJson(browser, '/logout').expect(200)
    expect((await host.store.find('ann'))?.ended).to.have.length(1)
  })

  it('is dead together with the new one after a log-out', async () => {
    const { host, browser, slow, cookies, refresh } = await freshVisit()
    await refresh()
    await postJson(browser, '/logout').expect(200)
    for (const [index, cookie] of cookies.entries()) {
      slow[index]?.writeBack()
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401, { user: null })
    }
  })

  it('costs no write of its own', async () => {
    const { host, refresh } = await freshVisit()
    const before = (await host.store.find('ann'))?.version ?? 0
    await refresh()
    expect((await host.store.find('ann'))?.version).to.equal(before + 1)
  })
})
