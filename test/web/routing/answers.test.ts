import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { Response } from 'supertest'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, HTML, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { enrolledVisit, pendingVisit, recordOf, signedInVisit } from '../../support/visits.js'

const MEMBERS_OF_AN_EVENT = 'id at type actor user method ip userAgent reason detail'.split(' ')
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function expectJson(response: Response, body: object): void {
  expect(response.status, JSON.stringify(response.body)).to.equal(200)
  expect(response.headers['content-type']).to.match(/^application\/json(;|$)/)
  expect(response.body).to.deep.equal(body)
  expectSafeHeaders(response)
}

describe('an answer to HEAD', () => {
  // The mistake: a server that refuses such a body throws, and the answer to that error throws again.
  it('has no body, also in a server that refuses one', async () => {
    const server = createServer({ rejectNonStandardBodyWrites: true }, makeHost().app)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const accept of ['application/json', 'text/html']) {
      const asked = request({
        port,
        method: 'HEAD',
        path: '/second-step/challenge',
        headers: { accept },
      })
      const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage]
      expect(answer.statusCode, accept).to.be.oneOf([303, 401])
      answer.resume()
    }
    server.closeAllConnections()
    server.close()
  })
})

describe('the JSON answers', () => {
  it('have exactly the members of the contract at GET /, before a set-up', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    expectJson(await getJson(browser, '/second-step'), {
      enrolled: false,
      method: null,
      since: null,
      backupCodesLeft: 0,
      backupCodesSaved: false,
      mustSetUp: false,
      setupDeadline: null,
      canDisable: false,
      pausedUntil: null,
      freshUntil: null,
      resetPending: null,
      trustedBrowsers: [],
      authenticators: [],
      events: [],
    })
  })

  it('have exactly the members of the contract at GET /, after it', async () => {
    const { host, browser } = await signedInVisit()
    const authenticator = authenticatorOf(await recordOf(host))
    const answer = await getJson(browser, '/second-step/')
    expectJson(answer, {
      enrolled: true,
      method: 'totp',
      since: new Date(authenticator?.since ?? 0).toISOString(),
      backupCodesLeft: 10,
      backupCodesSaved: false,
      mustSetUp: false,
      setupDeadline: null,
      canDisable: true,
      pausedUntil: null,
      freshUntil: new Date(host.system.now() + 4.5 * MINUTE).toISOString(),
      resetPending: null,
      trustedBrowsers: [],
      authenticators: [
        {
          ...{ id: authenticator?.id, type: 'totp', name: null, serial: null, synced: null },
          since: new Date(authenticator?.since ?? 0).toISOString(),
          lastUsedAt: new Date(authenticator?.lastUsedAt ?? 0).toISOString(),
        },
      ],
      events: answer.body.events,
    })
    expect(answer.body.since).to.match(ISO)
    expect(answer.body.events).to.have.length(2)
    expect(Object.keys(answer.body.events[1])).to.have.members(MEMBERS_OF_AN_EVENT)
    expect(answer.body.events[1]).to.include({
      at: answer.body.since,
      type: 'enrolled',
      user: 'ann',
      method: 'totp',
      ip: '127.0.0.1',
      reason: null,
      detail: null,
    })
    expect(answer.body.events[1].actor).to.deep.equal({ kind: 'user', id: 'ann' })
  })

  it('have at GET / the ten last events, the newest first, and none of anybody else', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const other = browserOf(host)
    await passFirstStep(other, bob)
    await other.post('/logout')
    for (let count = 0; count < 12; count += 1) {
      host.system.advance(30_000)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
    }
    const { events } = (await getJson(browser, '/second-step/')).body
    expect(events.map((event: { type: string }) => event.type)).to.deep.equal(
      Array(10).fill('code-accepted'),
    )
    expect(events[0].at).to.equal(new Date(host.system.now()).toISOString())
  })

  it('have exactly the members of the contract at the challenge', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    expectJson(await getJson(browser, '/second-step/challenge'), {
      methods: ['totp', 'backup-code'],
      webauthn: null,
      trustOffered: false,
      lostOffered: false,
      resetPending: null,
      triesLeft: 5,
      expiresAt: new Date(host.system.now() + 10 * MINUTE).toISOString(),
    })
    const right = { code: enrolment.code() }
    expectJson(await postJson(browser, '/second-step/challenge', right), {
      status: 'signed-in',
      method: 'totp',
      backupCodesLeft: 10,
      next: '/inside',
    })
  })

  it('have exactly the members of the contract at the other routes', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const fresh = '/second-step/fresh'
    const until = (minutes: number) => new Date(host.system.now() + minutes * MINUTE).toISOString()
    expectJson(await getJson(browser, fresh), { freshUntil: until(4.5) })
    const given = await postJson(browser, fresh, { code: enrolment.code() })
    expectJson(given, { status: 'fresh', until: until(5), next: '/' })
    const saved = await postJson(browser, '/second-step/backup-codes/saved')
    expectJson(saved, { backupCodesSaved: true })
    expectJson(await postJson(browser, '/second-step/cancel'), { status: 'cancelled' })
    host.system.advance(5 * MINUTE)
    expectJson(await getJson(browser, fresh), { freshUntil: null })
  })

  it('have exactly the members of the contract at the set-up', async () => {
    const browser = browserOf(makeHost())
    await passFirstStep(browser, ann)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const members = 'type issuer account secret uri qr algorithm digits period expiresAt'.split(' ')
    expect(Object.keys(body)).to.deep.equal(members)
    expect(body).to.include({
      issuer: 'Acme',
      account: 'Ann',
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    })
    expect(body.expiresAt).to.match(ISO)
  })
})

describe('the face of an answer', () => {
  const faces: readonly [name: string, headers: Record<string, string>, json: boolean][] = [
    ['a browser', { Accept: HTML }, false],
    ['somebody who takes anything', { Accept: '*/*' }, false],
    ['somebody who says nothing', {}, false],
    ['somebody who wants JSON', { Accept: JSON_TYPE }, true],
    ['somebody who likes JSON better', { Accept: 'text/html;q=0.8,application/json' }, true],
    ['somebody who likes pages better', { Accept: 'text/html,application/json;q=0.8' }, false],
  ]
  for (const [name, headers, json] of faces) {
    it(`is ${json ? 'JSON' : 'a page'} for ${name}`, async () => {
      const { browser } = await pendingVisit()
      const answer = await browser.get('/second-step/challenge').set(headers).expect(200)
      expect(answer.type).to.equal(json ? JSON_TYPE : 'text/html')
      const refused = await browser.get('/second-step').set(headers).expect(401)
      expect(refused.type).to.equal(json ? 'application/problem+json' : 'text/html')
    })
  }

  it('is JSON for a body that is JSON, whatever else it accepts', async () => {
    const { browser } = await pendingVisit()
    const post = browser.post('/second-step/challenge').set('Accept', HTML)
    expectProblem(await post.send({ code: 'x' }), 'malformed-request', 400)
  })

  it('is a redirect after a form, and a page with the same status where it is refused', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const challenge = '/second-step/challenge'
    const wrong = await postForm(browser, challenge, { code: '000000' }).expect(401)
    expect(wrong.text).to.include('That code didn’t work').and.to.include('name="code"')
    const mistyped = await postForm(browser, challenge, { code: 'what?' }).expect(400)
    expect(mistyped.text).to.include('A code from your app has 6 digits, a backup code 24 letters')
    expect(mistyped.text, 'what was typed can be mended').to.include('value="what?"')
    const right = await postForm(browser, challenge, { code: enrolment.code() }).expect(303)
    expect(right.headers.location).to.equal('/inside')
    const again = await postForm(browser, challenge, { code: enrolment.code() }).expect(303)
    expect(again.headers.location, 'already signed in').to.equal('/')

    host.system.advance(30_000)
    const fresh = await postForm(browser, '/second-step/fresh', { code: enrolment.code() })
    expect([fresh.status, fresh.headers.location]).to.deep.equal([303, '/'])
    const saved = await postForm(browser, '/second-step/backup-codes/saved', { saved: '1' })
    expect([saved.status, saved.headers.location]).to.deep.equal([303, '/second-step/'])
  })
})

describe('every response', () => {
  it('carries the headers that keep it out of caches, frames and other sites', async () => {
    const { host, browser: nobody, enrolment } = await enrolledVisit()
    const [pending, signedIn] = [browserOf(host), browserOf(host)]
    await passFirstStep(signedIn, ann)
    const right = { code: enrolment.code() }
    const responses = [
      await passFirstStep(pending, ann),
      await getPage(pending, '/second-step/challenge'),
      await postForm(pending, '/second-step/challenge', { code: '000000' }),
      await postForm(pending, '/second-step/challenge'),
      await postForm(signedIn, '/second-step/challenge', right),
      await getPage(signedIn, '/second-step'),
      await getPage(signedIn, '/second-step/fresh'),
      await getPage(signedIn, '/second-step/setup'),
      await postForm(signedIn, '/second-step/backup-codes/saved'),
      await postForm(pending, '/second-step/cancel'),
      await getPage(nobody, '/second-step'),
      await getJson(nobody, '/second-step/challenge'),
      await getPage(nobody, '/second-step/nothing'),
      await nobody.get('/second-step/assets/style.css'),
      await nobody.get('/second-step/assets/nothing.css'),
      await nobody.get('/second-step/assets'),
      await nobody.get('/second-step/assets/'),
      await nobody.get('/second-step/assets/style.css').set('Range', 'bytes=99999999-'),
      await nobody.get('/second-step/assets/style.css').set('If-None-Match', '*'),
      await nobody.post('/second-step/assets/style.css'),
      await nobody.options('/second-step/challenge'),
      await nobody.head('/second-step/challenge'),
      await nobody.get('/second-step/%'),
      await nobody.get('/second-step/assets/%2e%2e/challenge.ejs'),
    ]
    for (const response of responses) {
      const { method, path } = response.request as unknown as { method: string; path?: string }
      expect(response.headers, `${method} ${path} ${response.status}`).to.include({
        'cache-control': 'no-store',
      })
      expectSafeHeaders(response)
    }
  })

  it('has no ETag, which is for what somebody stores', async () => {
    const { browser: pending } = await pendingVisit()
    for (const response of [
      await getPage(pending, '/second-step/challenge'),
      await getJson(pending, '/second-step/challenge'),
      await getJson(pending, '/second-step/nothing'),
    ]) {
      expect(response.headers).to.have.property('content-length')
      expect(response.headers).to.not.have.property('etag')
    }
    const again = await getPage(pending, '/second-step/challenge').set('If-None-Match', '*')
    expect(again.status).to.equal(200)
  })

  it('carries them when a part does not answer, too', async () => {
    const { host, browser } = await pendingVisit()
    host.store.find = () => Promise.reject(new Error('away'))
    for (const response of [
      await getPage(browser, '/second-step/challenge'),
      await getJson(browser, '/second-step/challenge'),
      await getJson(browser, '/inside'),
      await passFirstStep(browser, ann),
    ]) {
      expect(response.status).to.equal(503)
      expectSafeHeaders(response)
    }
  })

  it('is a problem page or problem JSON where there is no such route', async () => {
    const host = makeHost()
    expectProblem(await getJson(browserOf(host), '/second-step/nothing'), 'not-found', 404)
    const page = await getPage(browserOf(host), '/second-step/nothing').expect(404)
    expect(page.text).to.include('There is nothing at this address')
  })
})
