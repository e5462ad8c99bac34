// The attack: a JWT route hands a token to whoever has the password alone. Its passport.authorize() sets
// `assignProperty` itself, but Passport gives the user to the host's callback all the same.

import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import type { NextFunction, Request, Response } from 'express'
import { Strategy } from 'passport'
import { expectProblem, postJson } from '../../support/answers.js'
import { browserOf, enrol, JSON_TYPE, passFirstStep, signIn } from '../../support/browser.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { editSession } from '../../support/sessions.js'
import { warningsDuring, warningsUntil } from '../../support/warnings.js'

type Routes = NonNullable<HostOptions['routes']>

const askToken = (host: Host, { id, password }: HostUser) =>
  postJson(browserOf(host), '/token', { username: id, password })

// The attack: the same route with passport.authorize(), which sets `assignProperty` itself. Passport gives the
// user to the callback all the same.
describe('a token handed out in a callback of passport.authorize()', () => {
  const authorizeRoute =
    (options: object): Routes =>
    ({ app, passport }) => {
      app.post('/token', (req: Request, res: Response, next: NextFunction) => {
        const callback = (error: unknown, user: HostUser | false) => {
          if (error) next(error)
          else res.json({ token: user ? `token of ${user.id}` : null })
        }
        passport.authorize('local', options, callback)(req, res, next)
      })
    }

  for (const options of [{ session: false }, { session: false, assignProperty: 'account' }]) {
    it(`is not given for the password alone with ${JSON.stringify(options)}`, async () => {
      const host = makeHost({ routes: authorizeRoute(options) })
      await enrol(host, ann)
      const answer = await askToken(host, ann)
      expectProblem(answer, 'code-required', 401)
      expect(answer.text).not.to.include('token of')
      await askToken(host, bob).expect(200, { token: 'token of bob' })
    })
  }

  it('is warned of where the callback was to log the user in', async () => {
    const host = makeHost({ routes: authorizeRoute({}) })
    await enrol(host, ann)
    const words = "POST /token: the callback of passport.authorize('local', …) answered"
    const said = await warningsUntil(words, () => askToken(host, ann).expect(200))
    expect(said.join('\n')).to.include(words)
  })
})

// The mistake: the token goes out beside the call, and not in its callback.
describe('a token handed out while req.logIn() still runs', () => {
  for (const session of [true, false]) {
    it(`is warned of, and the user is not in: session ${session}`, async () => {
      const login = new EventEmitter()
      const host = makeHost({
        routes: ({ app, passport }) => {
          app.post('/token', (req: Request, res: Response, next: NextFunction) => {
            passport.authenticate('local', (error: unknown, user: HostUser | false) => {
              if (error || !user) return next(error)
              req.logIn(user, { session }, () => void login.emit('over'))
              res.json({ token: `token of ${user.id}` })
            })(req, res, next)
          })
        },
      })
      await enrol(host, ann)
      const said = await warningsDuring(async () => {
        await Promise.all([once(login, 'over'), askToken(host, ann).expect(200)])
      })
      expect(said.join('\n')).to.include('POST /token: the app answered before req.logIn() called')
      const ofBob = await warningsDuring(async () => {
        await Promise.all([once(login, 'over'), askToken(host, bob).expect(200)])
      })
      expect(ofBob.join('\n')).not.to.include('/token')
    })
  }
})

// The mistake: `passport.authorize()` in place of `authenticate()`, and a token for whoever it has found.
describe('a token handed out for the account beside nobody', () => {
  const handed: Record<string, Routes> = {
    'passport.authorize()': ({ app, passport }) => {
      app.post('/token', passport.authorize('local'), (req, res) => {
        res.json({ token: `token of ${(Reflect.get(req, 'account') as HostUser).id}` })
      })
    },
    assignProperty: ({ app, passport }) => {
      const found = passport.authenticate('local', { assignProperty: 'member', session: false })
      app.post('/token', found, (req, res) => {
        res.json({ token: `token of ${(Reflect.get(req, 'member') as HostUser).id}` })
      })
    },
  }
  for (const [how, routes] of Object.entries(handed)) {
    it(`is warned of: ${how}`, async () => {
      const host = makeHost({ routes })
      await enrol(host, ann)
      const words = 'POST /token: by passport.authorize(), or by `assignPrope'
      const said = await warningsUntil(words, () => askToken(host, ann).expect(200))
      expect(said.join('\n')).to.include(words)
      const ofBob = await warningsDuring(async () => {
        await askToken(host, bob).expect(200)
      })
      expect(ofBob.join('\n')).not.to.include('/token')
    })
  }
})

describe('an account that a signed-in user links by passport.authorize()', () => {
  const linkRoute: Routes = ({ app, passport }) => {
    app.post('/link', passport.authorize('local', { session: false }), (req, res) => {
      res.json({ account: (Reflect.get(req, 'account') as HostUser).id, user: req.user })
    })
  }

  it('is put beside the user, without a callback', async () => {
    const host = makeHost({ routes: linkRoute })
    const enrolled = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolled)
    await enrol(host, bob)
    const said = await warningsDuring(async () => {
      const { body } = await browser
        .post('/link')
        .set('Accept', JSON_TYPE)
        .send({ username: bob.id, password: bob.password })
        .expect(200)
      expect([body.account, body.user.id]).to.deep.equal(['bob', 'ann'])
    })
    expect(said).to.deep.equal([])
  })
})

describe('an account that passport.authorize() finds in front of the guard', () => {
  it('makes no first step of a session that was revoked', async () => {
    const host = makeHost({
      beforeGuard: ({ app, passport }) => {
        passport.use(
          new (class extends Strategy {
            override readonly name = 'account'
            override authenticate(): void {
              this.success(bob)
            }
          })(),
        )
        app.use(passport.authenticate('account', { assignProperty: 'account' }))
      },
    })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await enrol(host, ann)
    editSession(host, (session) => void Reflect.deleteProperty(session, 'secondStep'))
    expectProblem(
      await browser.get('/second-step/challenge').set('Accept', JSON_TYPE),
      'not-signed-in',
      401,
    )
  })
})
