import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { errors } from '../../../lib/index.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, type Host, type HostUser, makeHost } from '../../support/host.js'
import {
  cookieOf,
  editSession,
  sessionsOf,
  slowRequest,
  useCookie,
} from '../../support/sessions.js'
import { pendingVisit, recordOf, setPolicy, signedInVisit } from '../../support/visits.js'

/** The same session as the app's, without a guard: what a host has at a web-socket upgrade. */
function upgradesOf(host: Host): Express {
  const app = express()
  const { sessions: store } = host
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, store }))
  app.use(host.passport.session())
  app.get('/socket', async (req, res) => {
    try {
      const user = await host.secondStep.requireSignedIn(req as IncomingMessage)
      res.json({ user: (user as HostUser).id })
    } catch (error) {
      const { status, code, name } = error as { status: number; code: string; name: string }
      const known =
        error instanceof errors.NotSignedInError || error instanceof errors.UnavailableError
      res.status(known ? status : 500).json({ code, name })
    }
  })
  return app
}

/** Opens a web socket with the cookies of this browser. */
async function upgrade(host: Host, browser: Browser, headers: Record<string, string> = {}) {
  const app = upgradesOf(host)
  const other = browserOf({ app })
  other.jar = browser.jar
  const { status, body } = await other.get('/socket').set(headers)
  return [status, body]
}

const refused = (code: string) => [401, { code, name: 'NotSignedInError' }]
const ANN = [200, { user: 'ann' }]

describe('requireSignedIn, at a web-socket upgrade', () => {
  it('says that it is no middleware, where it would hang', async () => {
    const { browser } = await signedInVisit({
      routes: ({ app, secondStep }) => {
        app.get('/mine', secondStep.requireSignedIn as unknown as RequestHandler)
        app.use(((error, _req, res, _next) => {
          res.status(500).json({ name: error.name, message: error.message })
        }) as ErrorRequestHandler)
      },
    })
    const { body } = await browser.get('/mine').expect(500)
    expect(body.name).to.equal('ConfigurationError')
    expect(body.message).to.contain('requireSignedIn(req) is no middleware')
  })

  it('gives the user who has passed both steps', async () => {
    const { host, browser } = await signedInVisit()
    expect(await upgrade(host, browser)).to.deep.equal(ANN)
  })

  it('gives the user who needs no second step', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    expect(await upgrade(host, browser)).to.deep.equal(ANN)
  })

  // The attack: a slow request writes back what was logged out.
  it('refuses a session that is older than the package, was logged out and is written back', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    const cookie = cookieOf(await passFirstStep(browser, ann))
    editSession(host, (one) => void Reflect.deleteProperty(one, 'secondStep'))
    const slow = slowRequest(host, cookie)
    expect(await upgrade(host, browser)).to.deep.equal(ANN)
    await useCookie(browserOf(host), cookie).post('/logout').expect(200)
    slow.writeBack()
    expect(await upgrade(host, browser)).to.deep.equal(refused('not-signed-in'))
  })

  it('refuses anonymous visitors, and a missing session', async () => {
    const host = makeHost()
    expect(await upgrade(host, browserOf(host))).to.deep.equal(refused('not-signed-in'))
    const bare = {} as IncomingMessage
    let refusal: unknown
    await host.secondStep.requireSignedIn(bare).catch((error: unknown) => {
      refusal = error
    })
    expect(refusal).to.be.instanceOf(errors.NotSignedInError)
  })

  it('refuses a visitor between the two steps, and says what is missing', async () => {
    // A socket that asks for a session with a user in it is a way around the second step.
    const { host, browser, enrolment } = await pendingVisit()
    expect(await upgrade(host, browser)).to.deep.equal(refused('code-required'))
    host.system.advance(10 * MINUTE)
    expect(await upgrade(host, browser)).to.deep.equal(refused('not-signed-in'))
    await passFirstStep(browser, ann)
    await giveCode(browser, enrolment.code()).expect(200)
    expect(await upgrade(host, browser)).to.deep.equal(ANN)
  })

  it('refuses who must set up first', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    expect(await upgrade(host, browser)).to.deep.equal(refused('setup-required'))
  })

  it('refuses a session that was revoked, or is older than the set-up', async () => {
    const host = makeHost()
    const old = browserOf(host)
    await passFirstStep(old, ann)
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    expect(await upgrade(host, old)).to.deep.equal(refused('not-signed-in'))
    expect(await upgrade(host, browser)).to.deep.equal(ANN)
    await host.secondStep.endSessions('ann')
    expect(await upgrade(host, browser)).to.deep.equal(refused('not-signed-in'))
  })

  it('refuses a session that was logged out and written back', async () => {
    const { host, browser } = await signedInVisit()
    const kept = structuredClone(Reflect.get(host.sessions, 'sessions'))
    await browser.post('/logout').expect(200)
    Object.assign(Reflect.get(host.sessions, 'sessions'), kept)
    expect((await recordOf(host)).ended).to.have.length(1)
    expect(await upgrade(host, browser)).to.deep.equal(refused('not-signed-in'))
  })

  it('refuses a session that no longer satisfies the policy, and leaves it as it is', async () => {
    const visit = await pendingVisit()
    const { host } = visit
    await setPolicy(host, { mode: 'off' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    await setPolicy(host, { mode: 'optional' })
    const before = sessionsOf(host)
    expect(await upgrade(host, browser)).to.deep.equal(refused('code-required'))
    expect(sessionsOf(host)).to.deep.equal(before)
  })

  it('refuses a user beside a pending login, and one with another user’s stamp', async () => {
    const { host, browser } = await pendingVisit()
    editSession(host, (stored) => {
      if (stored.secondStep?.pending !== undefined) stored.passport = { user: 'ann' }
    })
    expect(await upgrade(host, browser)).to.deep.equal(refused('code-required'))
    const other = await signedInVisit()
    editSession(other.host, (stored) => {
      stored.passport = { user: 'bob' }
    })
    expect(await upgrade(other.host, other.browser)).to.deep.equal(refused('not-signed-in'))
  })

  it('refuses with UnavailableError if a store does not answer', async () => {
    const { host, browser } = await signedInVisit()
    host.store.find = () => Promise.reject(new Error('away'))
    const unavailable = [503, { code: 'unavailable', name: 'UnavailableError' }]
    expect(await upgrade(host, browser)).to.deep.equal(unavailable)
  })
})

// The attack: a page of another site, or of a sibling subdomain, opens a web socket. The browser sends the cookies
// of the app along, also of `SameSite=Lax` from a sibling, and no CORS asks the app.
describe('requireSignedIn, at an upgrade that another site has started', () => {
  const foreign: readonly Record<string, string>[] = [
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'http://sibling.127.0.0.1', 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'null' },
    { 'Sec-Fetch-Site': 'cross-site' },
  ]
  for (const headers of foreign) {
    it(`refuses ${JSON.stringify(headers)}`, async () => {
      const { host, browser } = await signedInVisit()
      expect(await upgrade(host, browser, headers)).to.deep.equal(refused('cross-origin'))
    })
  }

  const own: readonly Record<string, string>[] = [
    { Origin: 'http://127.0.0.1' },
    { Origin: 'https://app.acme.example', 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'http://10.0.0.7:3000', 'Sec-Fetch-Site': 'same-origin' },
    {},
  ]
  for (const headers of own) {
    it(`takes ${JSON.stringify(headers)}`, async () => {
      const origins = ['https://app.acme.example']
      const { host, browser } = await signedInVisit({ options: { origins } })
      expect(await upgrade(host, browser, headers)).to.deep.equal(ANN)
    })
  }
})
