import { createHmac, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express, { type Express, type RequestHandler } from 'express'
import session, { Store } from 'express-session'
import { Passport } from 'passport'
import supertest from 'supertest'
import { createSecondStep, memoryStore } from '../../../lib/index.js'
import { getPage } from '../../support/answers.js'
import { browserOf, enrol, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, type HostOptions, makeHost } from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const passport = new Passport()
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user: Express.User, done) => done(null, user))

const sessions = () => session({ secret: 'test', resave: false, saveUninitialized: false })

function secondStep() {
  return createSecondStep({
    issuer: 'Acme',
    origin: 'http://127.0.0.1',
    keys: [randomBytes(32).toString('base64')],
    store: memoryStore(),
    passports: [passport],
  })
}

/** What the first request to such a chain of middleware is told. */
async function firstRequest(...chain: readonly RequestHandler[]): Promise<string> {
  const app = express()
  app.use(...chain)
  app.use(((error, _req, res, _next) => {
    res.status(500).send(`${error.name}: ${error.message}`)
  }) as express.ErrorRequestHandler)
  return (await supertest(app).get('/')).text
}

// The mistake: router() is not at `paths.secondStep`. Whoever has given the password is led to a page that is not found.
describe('a page for the code where nothing answers', () => {
  const visitedAt = async (path: string, options: HostOptions) => {
    const host = makeHost(options)
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    return warningsDuring(async () => {
      await getPage(browser, path)
      await getPage(browser, path)
    })
  }
  const moved: HostOptions = { options: { paths: { secondStep: '/mfa' } } }

  it('is told to the operator, once', async () => {
    const said = await visitedAt('/mfa/setup', moved)
    expect(said).to.have.length(1)
    expect(said.join()).to.include("app.use('/mfa', secondStep.router())")
  })

  it('is none at another address, or where the app answers there itself', async () => {
    expect(await visitedAt('/mfa/set-up', moved)).to.deep.equal([])
    expect(await visitedAt('/second-step/setup', {})).to.deep.equal([])
    const routes: HostOptions['routes'] = ({ app }) => {
      app.get('/mfa/setup', (_req, res) => res.send('my own'))
    }
    expect(await visitedAt('/mfa/setup', { ...moved, routes })).to.deep.equal([])
  })
})

describe('a mistake in mounting', () => {
  it('is named: no session middleware', async () => {
    expect(await firstRequest(secondStep().guard())).to.match(/ConfigurationError.*express-session/)
  })

  it('is named: a session that another middleware has set to null', async () => {
    const none: RequestHandler = (req, _res, next) => {
      Reflect.set(req, 'session', null)
      next()
    }
    expect(await firstRequest(none, secondStep().guard())).to.match(
      /ConfigurationError.*mount express-session before guard\(\)/,
    )
  })

  it('is named: pages to keep open that are no paths', async () => {
    const { guard } = secondStep()
    for (const open of [
      '/login',
      ['login'],
      ['/login', 'help'],
      ['/login/'],
      ['x/login'],
      [1],
      [['/login']],
      [null],
    ]) {
      expect(() => guard({ open: open as string[] }), JSON.stringify(open)).to.throw(
        /`guard\.open` must be a list of paths such as \/login, without a slash at the end/,
      )
    }
    expect(() =>
      guard({ open: ['/login', '/auth/google', '/v1:login', '/caf%C3%A9'] }),
    ).not.to.throw()
    expect(() => guard({ opne: [] } as object)).to.throw(/`guard\.opne`/)
  })

  // The page stays closed, and nobody knows why.
  const matchNothing: Readonly<Record<string, string>> = {
    '/login?next=x': 'leave out the query',
    '/login#form': 'leave out the query',
    '/auth/*': 'no patterns',
    '/auth/:provider': 'no patterns',
    '/auth{/*rest}': 'no patterns',
    '/(login|logout)': 'no patterns',
    '/café': 'browsers ask for /caf%C3%A9',
    '/sign in': 'browsers ask for /sign%20in',
    '/a/../login': 'browsers ask for /login',
    '/./login': 'browsers ask for /login',
    '//login': 'browsers ask for /login',
    '/auth\\google': 'browsers ask for /auth/google',
  }
  for (const [path, why] of Object.entries(matchNothing)) {
    it(`is named: a page to keep open that can match nothing, ${path}`, () => {
      const { guard } = secondStep()
      expect(() => guard({ open: ['/login', path] })).to.throw(
        `\`guard.open\` has ${path}, which can match nothing: `,
      )
      expect(() => guard({ open: [path] })).to.throw(why)
    })
  }

  it('is named: `open: ["/"]`, which reads as if it opened everything', async () => {
    const { guard } = secondStep()
    const said = await warningsDuring(() => guard({ open: ['/'] }))
    expect(said.join()).to.include("guard({ open: ['/'] }) opens the home page alone")
    expect(await warningsDuring(() => guard({ open: ['/login'] }))).to.deep.equal([])
  })

  it('is named: a session that cannot regenerate', async () => {
    const cookieSession: RequestHandler = (req, _res, next) => {
      Reflect.set(req, 'session', {})
      next()
    }
    const text = await firstRequest(cookieSession, passport.session(), secondStep().guard())
    expect(text).to.match(/ConfigurationError.*regenerate/)
  })

  it('is named: the guard before Passport', async () => {
    const text = await firstRequest(sessions(), secondStep().guard(), passport.session())
    expect(text).to.match(/ConfigurationError.*mount guard\(\) after passport\.session\(\)/)
  })

  it('is named: the guard between initialize() and session(), with somebody signed in', async () => {
    const signedIn: RequestHandler = (req, _res, next) => {
      Reflect.set(req.session, 'passport', { user: { id: '1' } })
      next()
    }
    const chain = [sessions(), signedIn, passport.initialize(), secondStep().guard()] as const
    expect(await firstRequest(...chain)).to.match(/ConfigurationError.*after passport\.session\(\)/)
  })

  it('is named: a router that no guard stands before', async () => {
    const app = express()
    app.use('/second-step', secondStep().router())
    const { text } = await supertest(app).get('/second-step/challenge').expect(500)
    expect(text).to.include('guard() is missing')
  })

  it('is named: a router that is mounted elsewhere than its path says', async () => {
    const host = makeHost({
      routes: ({ app, secondStep }) => void app.use('/elsewhere', secondStep.router()),
    })
    const { text } = await browserOf(host).get('/elsewhere/challenge').expect(500)
    expect(text).to.include('paths.secondStep')
  })

  it('is named: a user without an id', async () => {
    const host = makeHost({ options: { describe: () => ({ id: undefined }) } })
    const { text } = await passFirstStep(browserOf(host), ann).expect(500)
    expect(text).to.include('describe')
    await browserOf(host).get('/inside').expect(401)
  })
})

describe('a session store that is away', () => {
  class AwayStore extends Store {
    override get = (_id: string, done: (error: unknown) => void) => done(new Error('away'))
    override set = (_id: string, _session: unknown, done?: (error: unknown) => void) =>
      done?.(new Error('away'))
    override destroy = (_id: string, done?: (error: unknown) => void) => done?.(new Error('away'))
  }

  function appWithStore(store: Store): { app: Express } {
    const app = express()
    const step = secondStep()
    app.use(session({ secret: 'test', resave: false, saveUninitialized: false, store }))
    app.use(passport.session(), step.guard())
    app.post('/login', (req, res, next) => {
      req.logIn({ id: 'ann' } as Express.User, (error) => (error ? next(error) : res.json({})))
    })
    app.use(step.errorHandler())
    return { app }
  }

  // The mistake: the log said "Stream isn't writeable" and not of which of the app's three Redis clients.
  it('is named in the warning', async () => {
    const { app } = appWithStore(new AwayStore())
    const signature = createHmac('sha256', 'test').update('some-id').digest('base64')
    const cookie = `connect.sid=${encodeURIComponent(`s:some-id.${signature.replace(/=+$/, '')}`)}`
    const said = await warningsDuring(() =>
      supertest(app).get('/').set({ Cookie: cookie, Accept: JSON_TYPE }).expect(503),
    )
    expect(said).to.deep.equal(['passport-second-step: the session store is not available: away'])
  })

  it('is a 503, as JSON and as a page, when the session is read', async () => {
    const { app } = appWithStore(new AwayStore())
    // Signed with the host's secret, as express-session signs.
    const signature = createHmac('sha256', 'test').update('some-id').digest('base64')
    const cookie = `connect.sid=${encodeURIComponent(`s:some-id.${signature.replace(/=+$/, '')}`)}`
    const json = await supertest(app)
      .get('/')
      .set({ Cookie: cookie, Accept: JSON_TYPE })
      .expect(503)
    expect(json.body.code).to.equal('unavailable')
    const page = await supertest(app).get('/').set({ Cookie: cookie, Accept: 'text/html' })
    expect([page.status, page.type]).to.deep.equal([503, 'text/html'])
  })

  it('is a 503 when a login cannot be saved, and nobody is signed in', async () => {
    const { app } = appWithStore(new AwayStore())
    const answer = await supertest(app).post('/login').set('Accept', JSON_TYPE).expect(503)
    expect(answer.headers).to.not.have.property('set-cookie')
  })

  it('leaves the host’s own errors to the host', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.get('/broken', () => {
          throw new Error('the host’s own')
        })
      },
    })
    await enrol(host, ann)
    const { text } = await browserOf(host).get('/broken').expect(500)
    expect(text).to.include('the host’s own')
  })
})
