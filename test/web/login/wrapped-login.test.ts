// The attack: the host runs passport.authenticate() on an object that stands for the request, as NestJS does with a
// GraphQL context `{ req, res }`. Nobody finds the guard that has seen the request, takes the login for one in front of
// the guard, and the password alone gets a token, without a word.

import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import express, { type Request, type Response } from 'express'
import { type AuthenticateOptions, Passport } from 'passport'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode } from '../../support/browser.js'
import { ann, bob, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { editSession } from '../../support/sessions.js'
import { warningsDuring } from '../../support/warnings.js'

type Wrap = (req: Request, res: Response) => object

/** The request is found behind these. */
const found: Readonly<Record<string, Wrap>> = {
  'the request itself': (req) => req,
  'an object that inherits from it': (req) => Object.create(req),
  'an object that inherits from a proxy of it': (req) => Object.create(new Proxy(req, {})),
  'a proxy': (req) => new Proxy(req, {}),
  'a copy': (req) => ({ ...req, body: req.body, headers: req.headers, session: req.session }),
  'a context { req, res }': (req, res) => ({ req, res, body: req.body, session: req.session }),
  'a context { req }': (req) => ({ req, body: req.body, session: req.session }),
  'a context { request }': (req) => ({ request: req, body: req.body, session: req.session }),
  'an object with the session': ({ body, session }) => ({ body, session }),
  'a context with a proxy': (req) => ({
    req: new Proxy(req, {}),
    body: req.body,
    session: req.session,
  }),
}

/** Nothing leads from these to the request. */
const lost: Readonly<Record<string, Wrap>> = {
  'the body alone': ({ body }) => ({ body }),
  'a context of another shape': (req) => ({ own: { req }, body: req.body }),
}

type Method = 'authenticate' | 'authorize'

/** Hands a token to whom the callback gets, as NestJS's AuthGuard does. */
const tokenRoute =
  (wrap: Wrap, options: object, method: Method = 'authenticate'): HostOptions['routes'] =>
  ({ app, passport }) => {
    app.set('env', 'test')
    app.post('/token', (req, res, next) => {
      const called = (error: unknown, user: HostUser | false) => {
        if (error) next(error)
        else if (user) res.json({ token: `token of ${user.id}` })
        else res.sendStatus(401)
      }
      passport[method]('local', options as AuthenticateOptions, called)(wrap(req, res), res, next)
    })
  }

/** The same without a callback: whoever is behind it takes the object's user for signed in. */
const plainRoute =
  (wrap: Wrap, options: object): HostOptions['routes'] =>
  ({ app, passport }) => {
    app.set('env', 'test')
    app.post('/token', (req, res, next) => {
      const wrapped = wrap(req, res)
      passport.authenticate('local', options)(wrapped, res, (error: unknown) => {
        const user = Reflect.get(wrapped, 'user') as HostUser | undefined
        if (error) next(error)
        else res.json({ token: user === undefined ? null : `token of ${user.id}` })
      })
    })
  }

const ask = ({ id, password }: HostUser, browser: Browser) =>
  postJson(browser, '/token', { username: id, password })

const WITHOUT_SESSION = { session: false }
const routes = {
  'passport.authenticate() with a callback': (wrap: Wrap, more = {}) =>
    tokenRoute(wrap, { ...WITHOUT_SESSION, ...more }),
  'passport.authorize() with a callback': (wrap: Wrap, more = {}) =>
    tokenRoute(wrap, { ...WITHOUT_SESSION, ...more }, 'authorize'),
  'passport.authenticate() without one': (wrap: Wrap, more = {}) =>
    plainRoute(wrap, { ...WITHOUT_SESSION, ...more }),
} as const

for (const [way, route] of Object.entries(routes)) {
  describe(`a login of one request by ${way}`, () => {
    for (const [name, wrap] of Object.entries(found)) {
      it(`asks for the second step behind ${name}`, async () => {
        const host = makeHost({ routes: route(wrap) })
        await enrol(host, ann)
        expectProblem(await ask(ann, browserOf(host)), 'code-required', 401)
        await ask(bob, browserOf(host)).expect(200, { token: 'token of bob' })
      })
    }

    for (const [name, wrap] of Object.entries(lost)) {
      it(`is refused to who needs a second step behind ${name}`, async () => {
        const host = makeHost({ routes: route(wrap) })
        await enrol(host, ann)
        const { text } = await ask(ann, browserOf(host)).expect(500)
        expect(text).to.include('instead of the request')
        await ask(bob, browserOf(host)).expect(200, { token: 'token of bob' })
      })
    }

    for (const [name, wrap] of Object.entries({ ...found, ...lost })) {
      it(`lets a token in that was made after a second step: ${name}`, async () => {
        const host = makeHost({ routes: route(wrap, { secondStep: false }) })
        await enrol(host, ann)
        await ask(ann, browserOf(host)).expect(200, { token: 'token of ann' })
      })
    }
  })
}

/** The callback logs the user in on the object, as NestJS's `super.logIn(request)` does. */
const logInRoute =
  (wrap: Wrap): HostOptions['routes'] =>
  ({ app, passport }) => {
    app.set('env', 'test')
    app.post('/token', (req, res, next) => {
      const wrapped = wrap(req, res) as Request
      const called = (_error: unknown, user: HostUser | false) => {
        wrapped.logIn(user as Express.User, (error) => {
          const { id } = Object(wrapped.user)
          if (error) next(error)
          else res.json({ token: `token of ${id}` })
        })
      }
      passport.authenticate('local', called)(wrapped, res, next)
    })
  }

for (const [way, route] of Object.entries({
  'req.logIn() in a callback': logInRoute,
  'passport.authenticate() without a callback': (wrap: Wrap) => plainRoute(wrap, {}),
})) {
  describe(`a login with a session by ${way}`, () => {
    for (const [name, wrap] of Object.entries(found)) {
      it(`becomes a pending login, which a code completes, behind ${name}`, async () => {
        const host = makeHost({ routes: route(wrap) })
        const enrolment = await enrol(host, ann)
        const browser = browserOf(host)
        const { body } = await ask(ann, browser).expect(200)
        expect(body).to.deep.equal({ status: 'code-required', next: '/second-step/challenge' })
        await getJson(browser, '/inside').expect(401, { user: null })
        await giveCode(browser, enrolment.code()).expect(200)
        await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
        const other = browserOf(host)
        await ask(bob, other).expect(200, { token: 'token of bob' })
        await other.get('/inside').expect(200, { user: 'bob', status: 'none' })
      })
    }

    for (const [name, wrap] of Object.entries(lost)) {
      it(`is refused behind ${name}`, async () => {
        const host = makeHost({ routes: route(wrap) })
        await enrol(host, ann)
        const { text } = await ask(ann, browserOf(host)).expect(500)
        expect(text).to.not.include('token of')
      })
    }
  })
}

describe('a callback that gets a user on an object without the request', () => {
  it('is warned of: nobody can tell whether it calls req.logIn()', async () => {
    const host = makeHost({ routes: tokenRoute(({ body }) => ({ body }), {}) })
    await enrol(host, ann)
    const said = await warningsDuring(async () => {
      await ask(bob, browserOf(host)).expect(200)
      await ask(ann, browserOf(host)).expect(200)
    })
    expect(said.join('\n')).to.include("passport.authenticate('local', …) ran on an object instead")
  })
})

describe('a login on an object that stands for a request in front of the guard', () => {
  for (const [name, wrap] of Object.entries(found)) {
    it(`goes on without the second step, as the request itself: ${name}`, async () => {
      const host = makeHost({
        beforeGuard: (parts) => {
          parts.app.use(express.json())
          tokenRoute(wrap, WITHOUT_SESSION)?.(parts)
        },
      })
      await enrol(host, ann)
      await ask(ann, browserOf(host)).expect(200, { token: 'token of ann' })
    })
  }
})

describe('the request of an upgrade, which has no response', () => {
  it('is a request in front of the guard, also where the app has one', async () => {
    const { passport, ...host } = makeHost()
    await enrol(host, ann)
    const upgrade = new IncomingMessage(new Socket())
    Reflect.set(upgrade, 'body', { username: ann.id, password: ann.password })
    const found = await new Promise((resolve) => {
      const called = (error: unknown, user: unknown) => resolve(error ?? user)
      passport.authenticate('local', { session: false }, called)(upgrade, {}, resolve)
    })
    expect(found).to.equal(ann)
  })
})

describe('passport.session() on an object that stands for the request', () => {
  for (const [name, wrap] of Object.entries({ ...found, ...lost })) {
    const path = '/staff'
    const staffHost = () => {
      const staff = new Passport()
      const { session } = Reflect.get(staff, '_strategies')
      for (const part of [staff, Reflect.get(staff, '_sm'), session]) {
        Reflect.set(part, '_key', 'staff')
      }
      staff.serializeUser((user, done) => done(null, (user as HostUser).id))
      staff.deserializeUser((id, done) => done(null, id === 'ann' ? (ann as never) : false))
      const passport = new Passport()
      return makeHost({
        passport,
        passports: [passport, staff],
        routes: ({ app }) => {
          app.set('env', 'test')
          app.get(path, (req, res, next) => {
            const wrapped = wrap(req, res)
            staff.session()(wrapped as Request, res, (error: unknown) => {
              const user = Reflect.get(wrapped, 'user') as HostUser | undefined
              if (error) next(error)
              else res.json({ user: user?.id ?? null })
            })
          })
        },
      })
    }

    it(`shows nobody who has not passed the second step: ${name}`, async () => {
      const host = staffHost()
      await enrol(host, ann)
      const browser = browserOf(host)
      await ask(bob, browser)
      await postJson(browser, '/login', { username: bob.id, password: bob.password })
      editSession(host, (session) => {
        Reflect.set(session, 'staff', { user: 'ann' })
        Reflect.deleteProperty(session, 'passport')
        Reflect.deleteProperty(session, 'secondStep')
      })
      const { body } = await getJson(browser, path)
      expect(Object(body).user ?? null).to.equal(null)
    })
  }
})
