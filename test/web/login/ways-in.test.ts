import { expect } from 'chai'
import type { Request } from 'express'
import { Passport, Strategy } from 'passport'
import { browserOf, enrol, giveCode, HTML, JSON_TYPE, signIn } from '../../support/browser.js'
import { ann, bob, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

/** Sends the visitor to a provider, which sends them back with a code, as OAuth strategies do. */
class RedirectingStrategy extends Strategy {
  override readonly name = 'redirecting'

  override authenticate(req: Request): void {
    if (req.query.code === 'from-the-provider') this.success(ann)
    else this.redirect('https://provider.example/authorize?client_id=acme')
  }
}

/** Finds the user in the Authorization header, as Basic and bearer strategies do. */
class HeaderStrategy extends Strategy {
  constructor(override readonly name: 'basic' | 'bearer') {
    super()
  }

  override authenticate(req: Request): void {
    const [scheme, credential] = (req.get('authorization') ?? '').split(' ')
    if (scheme?.toLowerCase() === this.name && credential === 'ann') this.success(ann)
    else this.fail(401)
  }
}

function apiRoutes(extra: object = {}): HostOptions['routes'] {
  return ({ app, passport }) => {
    for (const name of ['basic', 'bearer'] as const) {
      passport.use(new HeaderStrategy(name))
      const options = { session: false, ...extra }
      app.get(`/api/${name}`, passport.authenticate(name, options), (req, res) => {
        res.json({ user: (req.user as HostUser).id })
      })
    }
  }
}

describe('every way into the app', () => {
  it('meets the second step behind a strategy that redirects to a provider and back', async () => {
    const host = makeHost({
      routes: ({ app, passport }) => {
        passport.use(new RedirectingStrategy())
        app.get(
          '/auth/provider',
          passport.authenticate('redirecting', { successRedirect: '/inside' }),
        )
      },
    })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await browser
      .get('/auth/provider')
      .expect(302)
      .expect('Location', /provider\.example/)
    const back = browser.get('/auth/provider?code=from-the-provider').set('Accept', HTML)
    await back.expect(303).expect('Location', '/second-step/challenge')
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    const answer = await giveCode(browser, enrolment.code()).expect(200)
    expect(answer.body.next).to.equal('/inside')
  })

  for (const scheme of ['basic', 'bearer'] as const) {
    it(`refuses ${scheme} credentials without a session, which know no second step`, async () => {
      const host = makeHost({ routes: apiRoutes() })
      const browser = browserOf(host)
      const ask = () => browser.get(`/api/${scheme}`).set('Authorization', `${scheme} ann`)
      await ask().expect(200, { user: 'ann' })
      await enrol(host, ann)
      const refused = await ask()
        .expect(401)
        .expect('Content-Type', /application\/problem\+json/)
      expect(refused.body.code).to.equal('code-required')
      expect(refused.headers).to.not.have.property('set-cookie')
    })

    it(`lets ${scheme} credentials in that were issued after a second step`, async () => {
      const host = makeHost({ routes: apiRoutes({ secondStep: false }) })
      await enrol(host, ann)
      const browser = browserOf(host)
      await browser.get(`/api/${scheme}`).set('Authorization', `${scheme} ann`).expect(200)
    })
  }

  it('leaves a signed-in session alone when a request without session is refused', async () => {
    const host = makeHost({ routes: apiRoutes() })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    await browser.get('/api/bearer').set('Authorization', 'bearer ann').expect(401)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('takes a token’s user away where its strategy runs before the guard, and says why, once', async () => {
    const host = makeHost({
      beforeGuard: ({ app, passport }) => {
        passport.use(new HeaderStrategy('bearer'))
        const options = { session: false, secondStep: false } as const
        app.use('/api', passport.authenticate('bearer', options))
      },
      routes: ({ app }) => app.get('/api/me', (req, res) => res.json({ user: req.user ?? null })),
    })
    await enrol(host, ann)
    const ask = () =>
      browserOf(host).get('/api/me').set({ Authorization: 'bearer ann', Accept: JSON_TYPE })
    const said = await warningsDuring(async () => {
      for (const answer of [await ask(), await ask()])
        expect(answer.body).to.deep.equal({ user: null })
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.include('behind guard()')
  })

  it('refuses a `secondStep` that is neither true nor false, instead of passing it over', async () => {
    for (const secondStep of ['false', 0, null]) {
      const host = makeHost({ routes: apiRoutes({ secondStep }) })
      host.app.set('env', 'test')
      const ask = browserOf(host).get('/api/bearer').set('Authorization', 'bearer ann')
      const { text } = await ask.expect(500)
      expect(text).to.include('`secondStep` must be false or left out')
    }
  })

  it('refuses `secondStep: false` for a login with a session', async () => {
    const host = makeHost({
      routes: ({ app, passport }) => {
        const options = { secondStep: false } as const
        app.post('/login/open', passport.authenticate('local', options), (_req, res) =>
          res.json({}),
        )
      },
    })
    await enrol(host, ann)
    const browser = browserOf(host)
    const credentials = { username: 'ann', password: ann.password }
    await browser.post('/login/open').send(credentials).expect(500)
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
  })

  it('meets the second step in a host that serialises whole profiles under its own property', async () => {
    const passport = new Passport()
    const host = makeHost({
      passport,
      initialize: passport.initialize({ userProperty: 'member' }),
      options: { describe: (user) => ({ id: Reflect.get(user, '_id') }) },
      users: [],
      routes: ({ app }) => {
        app.post('/login/profile', (req, res, next) => {
          const profile = {
            _id: { toString: () => '5f0c' },
            roles: ['a'],
          } as unknown as Express.User
          req.logIn(profile, (error) => (error ? next(error) : res.json({ status: 'in' })))
        })
        app.get('/member', (req, res) => {
          res.json({ member: Reflect.get(req, 'member') ?? null, user: req.user ?? null })
        })
      },
    })
    // The host's own, in place of those by id.
    Reflect.set(passport, '_serializers', [])
    Reflect.set(passport, '_deserializers', [])
    passport.serializeUser((user, done) =>
      done(null, { ...user, _id: String(Reflect.get(user, '_id')) }),
    )
    passport.deserializeUser((profile: Express.User, done) => done(null, profile))

    const browser = browserOf(host)
    await browser.post('/login/profile').expect(200, { status: 'in' })
    const shown = await browser.get('/second-step/setup').set('Accept', JSON_TYPE).expect(200)
    const { virtualAuthenticator } = await import('../../../lib/testing/index.js')
    const authenticator = virtualAuthenticator(shown.body.uri)
    const code = () => authenticator.code(host.system.now())
    await browser
      .post('/second-step/setup')
      .set('Accept', JSON_TYPE)
      .send({ code: code() })
      .expect(200)
    host.system.advance(30_000)

    const other = browserOf(host)
    await other.post('/login/profile').set('Accept', JSON_TYPE).expect(200, {
      status: 'code-required',
      next: '/second-step/challenge',
    })
    await other.get('/member').set('Accept', JSON_TYPE).expect(200, { member: null, user: null })
    await giveCode(other, code()).expect(200)
    const member = { _id: '5f0c', roles: ['a'] }
    await other.get('/member').expect(200, { member, user: null })
  })

  it('meets the second step on each of two Passport instances', async () => {
    const [first, staff] = [new Passport(), new Passport()]
    const host = makeHost({ passport: first, passports: [first, staff], ...twoInstances(staff) })
    // Both keep their user under the same key of the session, so each must know the other's.
    Reflect.set(first, '_deserializers', [])
    first.deserializeUser((id: string, done) => done(null, id.endsWith('ann') ? ann : false))
    const enrolment = await enrol(host, ann)

    const browser = browserOf(host)
    await browser
      .post('/login/staff')
      .set('Accept', JSON_TYPE)
      .expect(200, { status: 'code-required', next: '/second-step/challenge' })
    await browser.get('/staff/inside').set('Accept', JSON_TYPE).expect(200, { user: null })
    await giveCode(browser, enrolment.code()).expect(200)
    await browser.get('/staff/inside').expect(200, { user: 'staff:ann' })
  })

  it('says so when a login runs on a Passport instance that it was not told of', async () => {
    const staff = new Passport()
    const host = makeHost(twoInstances(staff))
    await enrol(host, ann)
    const answer = await browserOf(host).post('/login/staff').expect(500)
    expect(answer.text).to.include('passports')
  })

  it('keeps no stamp of the first user when a second one logs in with keepSessionInfo', async () => {
    // Mallory has an account with a second step, and knows Ann's password.
    const host = makeHost({
      routes: ({ app, passport }) => {
        const keep = passport.authenticate('local', { keepSessionInfo: true })
        app.post('/login/keep', keep, (_req, res) => res.json({ status: 'signed-in' }))
        app.post('/basket', (req, res) => {
          Reflect.set(req.session, 'basket', ['book'])
          res.json({})
        })
        app.get('/basket', (req, res) => res.json(Reflect.get(req.session, 'basket') ?? null))
      },
    })
    const [ofAnn, ofBob] = [await enrol(host, ann), await enrol(host, bob)]
    const browser = browserOf(host)
    await signIn(browser, bob, ofBob)
    await browser.post('/basket')
    const login = await browser
      .post('/login/keep')
      .set('Accept', JSON_TYPE)
      .send({ username: 'ann', password: ann.password })
    expect(login.body.status).to.equal('code-required')
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    await giveCode(browser, ofBob.code()).expect(401)
    await giveCode(browser, ofAnn.code()).expect(200)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    const basket = await browser.get('/basket')
    expect(basket.body, 'keepSessionInfo is honoured at both regenerations').to.deep.equal(['book'])
  })
})

/** Staff sign in on an instance of their own, whose session() is mounted on a sub-router. */
function twoInstances(staff: InstanceType<typeof Passport>): HostOptions {
  staff.serializeUser((user, done) => done(null, `staff:${(user as HostUser).id}`))
  staff.deserializeUser((text: string, done) => {
    done(null, text.startsWith('staff:') ? { ...ann, name: text } : false)
  })
  return {
    routes: ({ app, secondStep }) => {
      app.use('/staff', staff.session(), secondStep.guard())
      app.post('/login/staff', staff.session(), (req, res, next) => {
        req.logIn(ann, (error) => (error ? next(error) : res.json({ status: 'in' })))
      })
      app.get('/staff/inside', (req, res) => {
        res.json({ user: (req.user as HostUser | undefined)?.name ?? null })
      })
    },
  }
}
