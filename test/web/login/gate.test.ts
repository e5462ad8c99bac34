import { expect } from 'chai'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from '../../support/host.js'

/** Posts Ann's password to a route of the host's, as a browser's form or as JSON. */
function post(host: Host, path: string, accept = HTML) {
  const browser = browserOf(host)
  const login = browser
    .post(path)
    .set('Accept', accept)
    .send(new URLSearchParams({ username: 'ann', password: ann.password }).toString())
  return { browser, login }
}

async function enrolledHost(options: HostOptions = {}) {
  const host = makeHost(options)
  return { host, ann: await enrol(host, ann) }
}

describe('the gate in req.logIn', () => {
  it('lets a user without a second step in, as Passport does', async () => {
    const { browser, login } = post(makeHost(), '/login')
    await login.expect(302).expect('Location', '/inside')
    await browser.get('/inside').expect(200, { user: 'ann', status: 'none' })
  })

  it('sends a form login with successRedirect to the challenge, and there afterwards', async () => {
    const { host, ann } = await enrolledHost()
    const { browser, login } = post(host, '/login')
    await login.expect(303).expect('Location', '/second-step/challenge')
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401, { user: null })
    await giveCode(browser, ann.code()).expect(200)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('keeps where successReturnToOrRedirect was going', async () => {
    const { host, ann } = await enrolledHost({
      routes: ({ app, passport }) => {
        app.get('/wanted', (req, res) => {
          req.session.returnTo = '/wanted?page=2'
          res.json({})
        })
        const successReturnToOrRedirect = '/otherwise'
        app.post('/login/return', passport.authenticate('local', { successReturnToOrRedirect }))
      },
    })
    const browser = browserOf(host)
    await browser.get('/wanted')
    const credentials = { username: 'ann', password: 'ann-password' }
    await browser.post('/login/return').set('Accept', JSON_TYPE).send(credentials).expect(200)
    const answer = await giveCode(browser, ann.code()).expect(200)
    expect(answer.body.next).to.equal('/wanted?page=2')

    const direct = browserOf(host)
    await direct.post('/login/return').set('Accept', JSON_TYPE).send(credentials).expect(200)
    host.system.advance(30_000)
    const other = await giveCode(direct, ann.code()).expect(200)
    expect(other.body.next).to.equal('/otherwise')
  })

  it('does not run a custom callback before the second step, so it can hand out no token', async () => {
    let tokens = 0
    const { host } = await enrolledHost({
      routes: ({ app, passport }) => {
        app.post('/login/token', (req, res, next) => {
          const verified = (_error: unknown, user: HostUser) =>
            req.logIn(user, (error) => {
              tokens += 1
              if (error) next(error)
              else res.json({ token: 'a-token-for-everything' })
            })
          passport.authenticate('local', verified)(req, res, next)
        })
      },
    })
    const { login } = post(host, '/login/token', JSON_TYPE)
    await login.expect(200, { status: 'code-required', next: '/second-step/challenge' })
    expect(tokens).to.equal(0)
  })

  it('does not run a JSON handler behind authenticate() before the second step', async () => {
    let handled = 0
    const { host } = await enrolledHost({
      routes: ({ app, passport }) => {
        app.post('/api/login', passport.authenticate('local'), (req, res) => {
          handled += 1
          res.json({ user: (req.user as HostUser).id })
        })
      },
    })
    const { login } = post(host, '/api/login', JSON_TYPE)
    await login.expect(200, { status: 'code-required', next: '/second-step/challenge' })
    expect(handled).to.equal(0)
  })

  it('sends htmx to the challenge by its own header', async () => {
    const { host } = await enrolledHost()
    const { login } = post(host, '/login')
    await login
      .set('HX-Request', 'true')
      .expect(204)
      .expect('HX-Redirect', '/second-step/challenge')
  })

  it('lets the host answer itself', async () => {
    const { host } = await enrolledHost({
      options: {
        onPending: (req, res, info) => res.status(202).json({ ...info, s: req.secondStep?.status }),
      },
    })
    const { login } = post(host, '/login')
    await login.expect(202, {
      status: 'code-required',
      next: '/second-step/challenge',
      s: 'code-required',
    })
  })

  it('sends a user without an authenticator to the set-up where the policy requires one', async () => {
    const host = makeHost()
    const { defaultPolicy } = await import('../../../lib/domain/policy.js')
    const policy = { ...defaultPolicy, version: 1, writeId: 'w', mode: 'required' } as const
    expect(await host.store.writePolicy(policy, 0)).to.equal(true)
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: '/second-step/setup' })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    await enrol(host, ann, browser)
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('refuses a successRedirect or a returnTo on another origin as a destination', async () => {
    // An open redirect: the login page is handed a returnTo of the attacker's.
    for (const returnTo of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'javascript:alert(1)',
    ]) {
      const { host, ann } = await enrolledHost({
        routes: ({ app, passport }) => {
          app.get('/remember', (req, res) => {
            req.session.returnTo = returnTo
            res.json({})
          })
          app.post(
            '/login/return',
            passport.authenticate('local', { successReturnToOrRedirect: '/' }),
          )
        },
      })
      const browser = browserOf(host)
      await browser.get('/remember')
      await browser.post('/login/return').send({ username: 'ann', password: 'ann-password' })
      const answer = await giveCode(browser, ann.code()).expect(200)
      expect(answer.body.next, returnTo).to.equal('/')
    }
  })

  it('takes a new session id at the first step and again at the second', async () => {
    const { host, ann } = await enrolledHost()
    const browser = browserOf(host)
    const first = await passFirstStep(browser, {
      ...host,
      id: 'ann',
      name: '',
      password: 'ann-password',
    })
    const second = await giveCode(browser, ann.code()).expect(200)
    const [pending, full] = [first, second].map(({ headers }) => headers['set-cookie']?.[0])
    expect(pending).to.be.a('string')
    expect(full).to.be.a('string').and.not.equal(pending)
  })

  it('needs a callback, because it looks the second step up first', async () => {
    const { host } = await enrolledHost({
      routes: ({ app }) => {
        app.get('/login/sync', (req, res) => {
          const logIn = req.logIn as unknown as (user: HostUser, options: object) => void
          expect(() => logIn(ann, { session: false })).to.throw('needs a callback')
          res.json({ user: req.user ?? null })
        })
      },
    })
    await browserOf(host).get('/login/sync').expect(200, { user: null })
  })

  it('passes an error of a callback to the error handler, and does not end the process', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.get('/login/broken', (req) => {
          req.logIn(ann, { session: false }, () => {
            throw new Error('the host’s own mistake')
          })
        })
      },
    })
    const { text } = await browserOf(host).get('/login/broken').expect(500)
    expect(text).to.include('the host’s own mistake')
  })
})
