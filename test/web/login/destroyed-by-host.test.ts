// The attack: the host logs out by `req.session.destroy()` or `req.session.regenerate()`, while somebody
// holds back a request in that session. When its body comes, the request must not act for the user, and
// the session that it saves must be dead.

import { once } from 'node:events'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Request } from 'express'
import expressSession, { type Session } from 'express-session'
import type { SecondStepEvent } from '../../../lib/domain/event.js'
import { ADMIN, ada, adminVisit } from '../../support/admin.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostParts, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import {
  cookieOf,
  editSession,
  sessionsOf,
  slowRequest,
  useCookie,
} from '../../support/sessions.js'
import { enrolledVisit, pendingBrowser, recordOf } from '../../support/visits.js'

/** The ways in which a host ends a session by itself. */
const WAYS: Readonly<Record<string, (req: Request, done: (error?: unknown) => void) => void>> = {
  '/destroy': (req, done) => void req.session.destroy(done),
  '/regenerate': (req, done) => void req.session.regenerate(done),
  '/reload-destroy': (req, done) => {
    req.session.reload((error) => (error ? done(error) : void req.session.destroy(done)))
  },
  '/destroy-log-out': (req, done) => {
    req.session.destroy(() => undefined)
    req.logout(done)
  },
  '/log-out-destroy': (req, done) => {
    req.logout((error) => (error ? done(error) : void req.session.destroy(done)))
  },
  '/empty-destroy': (req, done) => {
    empty(req)
    req.session.destroy(done)
  },
  '/empty-log-out': (req, done) => {
    empty(req)
    req.logout(done)
  },
  '/both-at-once': (req, done) => {
    const { session } = req
    const errors: unknown[] = []
    const both = (error?: unknown) => {
      errors.push(error)
      if (errors.length === 2) done(errors.find(Boolean))
    }
    session.regenerate(both)
    session.destroy(both)
  },
}

function empty({ session }: Request): void {
  for (const key of Object.keys(session)) if (key !== 'cookie') Reflect.deleteProperty(session, key)
}

function mountWays({ app }: HostParts): void {
  for (const [path, end] of Object.entries(WAYS)) {
    app.post(path, (req, res, next) => end(req, (error) => (error ? next(error) : res.json({}))))
  }
  app.post('/destroy-and-forget', (req, res) => {
    req.session.destroy(() => undefined)
    res.json({})
  })
}

function mountHost(parts: HostParts): void {
  const { app, secondStep } = parts
  mountWays(parts)
  app.post('/profile', express.json(), (req, res) => {
    Reflect.set(req.session, 'touched', true)
    res.json({})
  })
  app.post('/pay', secondStep.requireFresh(), express.json(), (_req, res) => res.json({}))
}

async function signedIn() {
  const { host, enrolment, browser } = await enrolledVisit({ mount: mountHost })
  await passFirstStep(browser, ann)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  return { host, enrolment, cookie, browser }
}

function listenTo({ secondStep }: Host): SecondStepEvent['type'][] {
  const heard: SecondStepEvent['type'][] = []
  secondStep.events.on('event', ({ type }) => heard.push(type))
  return heard
}

describe('a session that the host ends by itself', () => {
  for (const way of Object.keys(WAYS)) {
    it(`is over for a parked request, and dead where that writes it back: ${way}`, async () => {
      const { host, cookie } = await signedIn()
      const heard = listenTo(host)
      const profile = await park(host, '/profile', { cookie, like: { a: 1 } })
      const pay = await park(host, '/pay', { cookie, like: { a: 1 } })
      await postJson(useCookie(browserOf(host), cookie), way).expect(200)
      expect((await pay.finish({ a: 1 })).status).to.equal(401)
      await profile.finish({ a: 1 })
      expect(sessionsOf(host).some((session) => session.passport?.user === 'ann')).to.equal(true)
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
      expect(heard, 'it is told once').to.deep.equal(['logged-out'])
    })
  }

  it('is over for a parked change of an admin', async () => {
    const { host, enrolment } = await adminVisit({}, { routes: mountWays })
    const browser = browserOf(host)
    host.system.advance(60_000)
    await passFirstStep(browser, ada)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const path = `${ADMIN}/users/ann/one-time-code`
    const parked = await park(host, path, { cookie, like: { reason: 'x' } })
    await postJson(useCookie(browserOf(host), cookie), '/destroy').expect(200)
    expect((await parked.finish({ reason: 'x' })).body.code).to.equal('sign-in-again')
  })

  it('gives a parked password of the same user no second step', async () => {
    const { host, cookie } = await signedIn()
    const body = { username: ann.id, password: ann.password }
    const parked = await park(host, '/login', { cookie, like: body })
    await postJson(useCookie(browserOf(host), cookie), '/destroy').expect(200)
    const answer = await parked.finish(body)
    const thief = useCookie(browserOf(host), answer.cookie ?? '')
    await getJson(thief, '/inside').expect(401)
  })

  it('is over where it was a pending login', async () => {
    const { host, enrolment } = await enrolledVisit({ mount: mountHost })
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann))
    const slow = slowRequest(host, cookie)
    await postJson(useCookie(browserOf(host), cookie), '/destroy').expect(200)
    slow.writeBack()
    const answer = await giveCode(useCookie(browserOf(host), cookie), enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('sign-in-again')
  })

  it('is over where the host does not wait for it', async () => {
    const { host, cookie } = await signedIn()
    const slow = slowRequest(host, cookie)
    const ended = once(host.secondStep.events, 'logged-out')
    await postJson(useCookie(browserOf(host), cookie), '/destroy-and-forget').expect(200)
    await ended
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })

  it('keeps nothing of it for a login in the same request', async () => {
    const { host, browser } = await signedIn()
    host.app.use('/switch', (req, _res, next) => req.session.regenerate(next))
    host.app.post('/switch', (req, res, next) => {
      req.logIn(ann, (error) => (error ? next(error) : res.json({})))
    })
    const answer = await postJson(browser, '/switch').expect(200)
    expect(answer.body.status).to.equal('code-required')
  })
})

describe('the methods of a guarded session', () => {
  it('write nothing for a session that nobody has signed in', async () => {
    const host = makeHost({ mount: mountHost })
    const calls: string[] = []
    const { write } = host.store
    host.store.write = (record, version) => {
      calls.push(record.userId)
      return write(record, version)
    }
    for (const way of ['/destroy', '/regenerate', '/destroy-log-out']) {
      await postJson(browserOf(host), way).expect(200)
    }
    expect(calls).to.deep.equal([])
  })

  it('end a session without a stamp as before', async () => {
    const host = makeHost({ mount: mountHost })
    const browser = browserOf(host)
    await passFirstStep(browser, bob)
    editSession(host, (session) => {
      delete session.secondStep
    })
    await getJson(browser, '/inside').expect(200)
    await postJson(browser, '/destroy').expect(200)
    await getJson(browser, '/inside').expect(401)
  })

  for (const way of ['/destroy', '/regenerate']) {
    it(`pass on that the record cannot be written, and end the session: ${way}`, async () => {
      const { host, browser } = await signedIn()
      const { write } = host.store
      host.store.write = () => Promise.reject(new Error('gone'))
      await browser.post(way).set('Accept', JSON_TYPE).expect(503)
      host.store.write = write
      await browser.get('/inside').expect(401, { user: null })
    })
  }

  it('are not stored with the session, and go on with the host’s own values', async () => {
    const { host, browser, cookie } = await signedIn()
    await postJson(browser, '/profile', { a: 1 }).expect(200)
    const [session] = sessionsOf(host).filter((one) => 'touched' in one)
    expect(session).to.have.all.keys('cookie', 'passport', 'secondStep', 'touched')
    expect(cookie).to.not.equal('')
  })

  it('let the package’s own regenerations end nobody', async () => {
    const { host, enrolment, browser } = await signedIn()
    host.system.advance(60_000)
    const heard = listenTo(host)
    await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
    await getJson(browser, '/inside').expect(200)
    expect(heard).to.deep.equal(['code-accepted'])
    // Only what the session was before is over.
    const { ended } = await recordOf(host)
    expect(ended.filter(({ goodFrom }) => goodFrom === undefined)).to.deep.equal([])
  })

  it('leave alone what the host puts in their place for all sessions, and are run by it', async () => {
    const { host, enrolment, browser } = await signedIn()
    const { prototype } = expressSession.Session as unknown as { prototype: Session }
    const { regenerate } = prototype
    const called: string[] = []
    prototype.regenerate = function (this: Session, done) {
      called.push(this.id)
      return regenerate.call(this, done)
    }
    try {
      host.system.advance(60_000)
      const heard = listenTo(host)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
      await getJson(browser, '/inside').expect(200)
      expect(heard).to.deep.equal(['code-accepted'])
      expect(called).to.have.length(1)
      await postJson(browser, '/regenerate').expect(200)
      expect(heard).to.deep.equal(['code-accepted', 'logged-out'])
      expect(called).to.have.length(2)
    } finally {
      prototype.regenerate = regenerate
    }
  })

  it('are the ordinary ones where no guard has seen the request', async () => {
    const { host, cookie } = await signedIn()
    const heard = listenTo(host)
    const app = express()
    const options = { secret: 'test', resave: false, saveUninitialized: false }
    app.use(expressSession({ ...options, store: host.sessions }))
    mountWays({ ...host, app })
    await postJson(useCookie(browserOf({ app }), cookie), '/destroy').expect(200)
    expect(heard).to.deep.equal([])
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })

  it('pass what the host’s callback fails with to its error handler, as the log-out does', async () => {
    const { host } = await signedIn()
    const failing = async () => {
      throw new Error('of the host')
    }
    host.app.post('/fail/destroy', (req) => void req.session.destroy(failing))
    host.app.post('/fail/regenerate', (req) => void req.session.regenerate(failing))
    host.app.post('/fail/log-out', (req) => req.logout(failing))
    host.app.use(((error: Error, _req, res, _next) => {
      res.status(500).json({ error: error.message })
    }) satisfies ErrorRequestHandler)
    for (const way of ['destroy', 'regenerate', 'log-out']) {
      const answer = await postJson(browserOf(host), `/fail/${way}`).timeout(2000).expect(500)
      expect(answer.body.error, way).to.equal('of the host')
    }
  })

  it('tell a failure as a warning where the host does not wait', async () => {
    const { host, browser } = await signedIn()
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    host.app.post('/careless', (req, res) => {
      Reflect.apply(req.session.destroy, req.session, [])
      res.json({})
    })
    host.store.write = () => Promise.reject(new Error('gone'))
    await postJson(browser, '/careless').expect(200)
    expect((await warned).message).to.contain('the record store')
  })
})

describe('another browser of the same user', () => {
  it('stays signed in, and its pending login open', async () => {
    const { host, enrolment, cookie, browser } = await signedIn()
    const waiting = await pendingBrowser(host)
    const other = browserOf(host)
    host.system.advance(30_000)
    await passFirstStep(other, ann)
    await giveCode(other, enrolment.code()).expect(200)
    await postJson(useCookie(browserOf(host), cookie), '/destroy').expect(200)
    await getJson(browser, '/inside').expect(401)
    await getJson(other, '/inside').expect(200)
    host.system.advance(30_000)
    await giveCode(waiting, enrolment.code()).expect(200)
  })
})
