// The attack: a shop and its admin area have a createSecondStep() each, with stores and users of their own, and
// one session cookie. The ids of the users are alike. A customer takes what the session holds of their login
// at the shop to the admin area, to get in as the admin with the same id, or to sign that admin out.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express, { type Express } from 'express'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { createSecondStep, memoryStore } from '../../../lib/index.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { type MovedSystem, movedSystem } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import { storeForTests } from '../../support/store-for-tests.js'
import { setPolicy } from '../../support/visits.js'

/** What tells the two sites apart, by the name of a site. */
type Addresses = (name: string) => {
  readonly origin: string
  readonly base: string
  /** In front of the paths as the app sees them. */
  readonly path: string
}

const ADDRESSES: Readonly<Record<string, Addresses>> = {
  'on paths of one app': (name) => ({ origin: 'http://acme.example', base: '', path: name }),
  'each behind a proxy that strips a prefix': (name) => ({
    ...{ origin: 'http://acme.example', base: name, path: '' },
  }),
  'on a port each': (name) => ({
    ...{ origin: `https://acme.example:${name === '/shop' ? 8444 : 8443}`, base: '', path: '' },
  }),
  'on subdomains': (name) => ({
    origin: `http://${name.slice(1)}.acme.example`,
    base: '',
    path: '',
  }),
}

/** A site, for browsers below its name. The ids of all sites are the same; passwords are not. */
function mountSite(
  app: Express,
  name: string,
  { system, addresses }: { system: MovedSystem; addresses: Addresses },
): Pick<Host, 'store'> {
  const { path, ...address } = addresses(name)
  const [passport, router, store] = [new Passport(), express.Router(), memoryStore()]
  for (const part of [passport, Reflect.get(passport, '_sm'), strategyOfSession(passport)]) {
    Reflect.set(part, '_key', name)
  }
  passport.use(
    new LocalStrategy((id, password, done) => done(null, password === name ? { id } : false)),
  )
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id))
  passport.deserializeUser((id, done) => done(null, { id: String(id) }))
  const secondStep = createSecondStep<{ id: string }>({
    ...{ ...address, issuer: name, passports: [passport], system, store },
    keys: [randomBytes(32).toString('base64')],
    paths: {
      secondStep: `${path}/second-step`,
      admin: `${path}/users`,
      signIn: `${path}/login`,
      signedIn: `${path}/`,
    },
  })
  router.use(passport.session(), secondStep.guard({ open: [`${path}/login`] }))
  router.use('/second-step', secondStep.router())
  router.use(express.json())
  router.post('/login', passport.authenticate('local', { successRedirect: `${path}/` }))
  router.get('/who', (req, res) => res.json({ in: req.isAuthenticated() }))
  router.post('/end', (req, res, next) =>
    req.session.destroy((error) => (error ? next(error) : res.json({}))),
  )
  router.use(secondStep.errorHandler())
  app.use(path === '' ? '/' : path, router)
  return { store }
}

function strategyOfSession(passport: InstanceType<typeof Passport>): object {
  return Reflect.get(Reflect.get(passport, '_strategies'), 'session')
}

/** The shop and its admin area, with one cookie and one store of sessions. */
function makeSites(addresses: Addresses) {
  const [front, system, store] = [express(), movedSystem(), new MemoryStore()]
  const sessions = session({ secret: 'test', resave: false, saveUninitialized: false, store })
  const [shop, admin] = ['/shop', '/admin'].map((name) => {
    const app = express().use(sessions)
    const { path } = addresses(name)
    front.use((req, res, next) => {
      if (!req.url.startsWith(`${name}/`)) return next()
      if (path === '') req.url = req.originalUrl = req.url.slice(name.length)
      app(req, res)
    })
    return mountSite(app, name, { system, addresses })
  }) as [Pick<Host, 'store'>, Pick<Host, 'store'>]
  return { app: front, system, shop, admin }
}

type Sites = ReturnType<typeof makeSites>

function logIn(browser: ReturnType<typeof browserOf>, base: string) {
  return postJson(browser, `${base}/login`, { username: '1', password: base })
}

/** Somebody with the id 1 at this site, who has set up a second step there. */
async function enrolAt({ app, system }: Sites, base: string) {
  const browser = browserOf({ app })
  await logIn(browser, base)
  const { uri } = (await getJson(browser, `${base}/second-step/setup`)).body
  const code = virtualAuthenticator(uri).code(system.now())
  expect((await postJson(browser, `${base}/second-step/setup`, { code })).status).to.equal(200)
  return browser
}

for (const [name, addresses] of Object.entries(ADDRESSES)) {
  describe(`two createSecondStep() in one session, ${name}`, () => {
    it('let nobody who waits for a set-up at one into the other', async () => {
      const sites = makeSites(addresses)
      await setPolicy(sites.shop, { mode: 'required', graceDays: 0 })
      const customer = browserOf(sites)
      expect((await logIn(customer, '/shop')).body.status).to.equal('setup-required')
      expect((await getJson(customer, '/admin/who')).body).to.deep.equal({ in: false })
      const asked = await getJson(customer, '/admin/second-step/challenge')
      expectProblem(asked, 'not-signed-in', 401)
      // And their login at the shop goes on.
      expect((await getJson(customer, '/shop/second-step/setup')).status).to.equal(200)
    })

    it('tell nobody at one what a user of the other has', async () => {
      const sites = makeSites(addresses)
      await enrolAt(sites, '/shop')
      await enrolAt(sites, '/admin')
      const customer = browserOf(sites)
      expect((await logIn(customer, '/shop')).body.status).to.equal('code-required')
      const asked = await getJson(customer, '/admin/second-step/challenge')
      expectProblem(asked, 'not-signed-in', 401)
    })

    it('write nothing into the record of a user of one when a login at the other ends', async () => {
      const sites = makeSites(addresses)
      await enrolAt(sites, '/shop')
      const owner = await enrolAt(sites, '/admin')
      const before = await sites.admin.store.find('1')
      const customer = browserOf(sites)
      await logIn(customer, '/shop')
      expect((await postJson(customer, '/admin/end')).status).to.equal(200)
      expect(await sites.admin.store.find('1')).to.deep.equal(before)
      expect((await getJson(owner, '/admin/who')).body).to.deep.equal({ in: true })
    })
  })
}

// The mistake: processes of one app took none of each other's sessions.
const WWW = 'http://www.acme.example'
const ADMIN = 'http://admin.acme.example'
for (const [name, one, other] of [
  ['at another port', { origin: 'http://localhost:3001' }, { origin: 'http://localhost:3002' }],
  ['at another host name', { origin: WWW }, { origin: ADMIN }],
] as const) {
  it(`a session of one site goes on ${name}`, async () => {
    const [system, sessionStore] = [movedSystem(), new MemoryStore()]
    const shared = { keys: [randomBytes(32).toString('base64')], store: storeForTests() }
    const hostAt = (address: object) =>
      makeHost({ system, sessionStore, options: { ...shared, ...address } })
    const [here, there] = [hostAt(one), hostAt(other)]
    const enrolment = await enrol(here, ann)
    const cookie = cookieOf(await passFirstStep(browserOf(here), ann).expect(200))
    const browser = useCookie(browserOf(there), cookie)
    expectProblem(await getJson(browser, '/second-step/'), 'code-required', 401)
    const signedIn = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    await getJson(useCookie(browserOf(here), signedIn), '/inside').expect(200)
  })
}

it('a session of one site goes on under a new key, until the old one is dropped', async () => {
  const [system, sessionStore, store] = [movedSystem(), new MemoryStore(), storeForTests()]
  const [old, young] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const hostWith = (...keys: string[]) =>
    makeHost({ system, sessionStore, options: { store, keys } })
  const enrolment = await enrol(hostWith(old), ann)
  const browser = browserOf(hostWith(old))
  await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  await getJson(useCookie(browserOf(hostWith(young, old)), cookie), '/inside').expect(200)
  await getJson(useCookie(browserOf(hostWith(young)), cookie), '/inside').expect(401)
})

// The mistake: requireFresh() of the admins' createSecondStep() on a route behind the customers' guard takes a
// customer's fresh code.
describe('parts of one createSecondStep() behind the guard of another', () => {
  for (const [part, path] of [
    ['router()', '/admin/second-step/fresh'],
    ['requireFresh()', '/admin/pay'],
    ['limitPassword()', '/admin/login'],
    ['strategy()', '/admin/code'],
    ['passwordChanged()', '/admin/password'],
  ] as const) {
    it(`are told: ${part}`, async () => {
      const told: unknown[] = []
      const host = makeHost({
        routes: ({ app, passport }) => {
          const other = createSecondStep({
            ...{ issuer: 'Admin', origin: 'http://127.0.0.1', passports: [new Passport()] },
            keys: [randomBytes(32).toString('base64')],
            store: memoryStore(),
            paths: { secondStep: '/admin/second-step' },
          })
          app.use('/admin/second-step', other.router())
          app.get('/admin/pay', other.requireFresh(), (_req, res) => res.json({ paid: true }))
          app.get('/admin/login', other.limitPassword(), (_req, res) => res.json({}))
          app.get('/admin/password', async (req, res) => {
            res.json(await other.passwordChanged('ann', { except: req }))
          })
          passport.use('of-another', other.strategy())
          app.get('/admin/code', passport.authenticate('of-another'), (_req, res) => res.json({}))
          app.use(((error, _req, res, _next) => {
            told.push(error)
            res.status(500).json({})
          }) satisfies express.ErrorRequestHandler)
        },
      })
      const answer = await getJson(browserOf(host), path)
      expect(answer.status).to.equal(500)
      expect(String(told[0])).to.match(/ConfigurationError.*different createSecondStep\(\)/)
    })
  }
})
