import { expect } from 'chai'
import { type Browser, browserOf, enrol, giveCode, HTML, JSON_TYPE } from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'
import { setPolicy } from '../../support/visits.js'

const MONTH = 30 * 24 * 60 * 60 * 1000

/** A host that keeps a basket and a theme in the session, before anybody signs in. */
function hostWithBasket(options: HostOptions['options'] = {}): Host {
  return makeHost({
    options,
    routes: ({ app, passport }) => {
      app.post('/basket', (req, res) => {
        Object.assign(req.session, { basket: ['book'], theme: 'dark', returnTo: '/till' })
        req.session.cookie.maxAge = MONTH
        res.json({})
      })
      const keep = passport.authenticate('local', { keepSessionInfo: true })
      app.post('/login/keep', keep, (_req, res) => res.json({}))
    },
  })
}

async function shopAndSignIn(host: Host, path = '/login'): Promise<Browser> {
  const browser = browserOf(host)
  await browser.post('/basket').expect(200)
  const credentials = { username: 'ann', password: ann.password }
  await browser.post(path).set('Accept', JSON_TYPE).send(credentials)
  return browser
}

/** The one session of a user who went shopping and then passed both steps. */
function sessionOf(host: Host): Record<string, unknown> {
  const [session, ...more] = sessionsOf(host).filter(
    ({ secondStep, passport }) => secondStep?.verified && passport?.user === 'ann',
  )
  expect(more).to.deep.equal([])
  return { ...session }
}

/** Enrols and forgets the session in which that was done. */
async function enrolElsewhere(host: Host) {
  const browser = browserOf(host)
  const enrolment = await enrol(host, ann, browser)
  await browser.post('/logout').expect(200)
  return enrolment
}

describe('the session keys that survive a login', () => {
  it('is nothing where nobody asks for a second step, as with Passport alone', async () => {
    const host = hostWithBasket()
    await shopAndSignIn(host)
    const session = sessionOf(host)
    expect(session).to.have.all.keys('cookie', 'passport', 'secondStep')
    expect(session.cookie).to.include({ originalMaxAge: null })
    expect(session.secondStep).to.have.all.keys('verified')
  })

  it('is all of the host’s under keepSessionInfo, where nobody asks for a second step', async () => {
    const host = hostWithBasket()
    await shopAndSignIn(host, '/login/keep')
    const session = sessionOf(host)
    expect(session).to.deep.include({ basket: ['book'], theme: 'dark', returnTo: '/till' })
    expect(Object(session.cookie).originalMaxAge).to.be.within(MONTH - 50, MONTH)
  })

  it('is where the login was going and how long the cookie lives, through both steps', async () => {
    const host = hostWithBasket()
    const enrolment = await enrolElsewhere(host)
    const browser = await shopAndSignIn(host)
    await giveCode(browser, enrolment.code()).expect(200)
    const session = sessionOf(host)
    expect(session).to.have.all.keys('cookie', 'passport', 'returnTo', 'secondStep')
    expect(Object(session.cookie).originalMaxAge).to.be.within(MONTH - 50, MONTH)
  })

  it('is also what the host lists, through both steps', async () => {
    const host = hostWithBasket({ keepInSession: ['basket'] })
    const enrolment = await enrolElsewhere(host)
    const browser = await shopAndSignIn(host)
    await giveCode(browser, enrolment.code()).expect(200)
    expect(sessionOf(host))
      .to.deep.include({ basket: ['book'] })
      .and.not.have.property('theme')
  })

  it('is all of the host’s under keepSessionInfo, through both steps', async () => {
    const host = hostWithBasket()
    const enrolment = await enrolElsewhere(host)
    const browser = await shopAndSignIn(host, '/login/keep')
    await giveCode(browser, enrolment.code()).expect(200)
    expect(sessionOf(host)).to.deep.include({ basket: ['book'], theme: 'dark' })
  })

  it('is all of the host’s in a session that is asked for a code while it goes on', async () => {
    const host = hostWithBasket()
    const enrolment = await enrolElsewhere(host)
    await setPolicy(host, { mode: 'off' })
    const browser = await shopAndSignIn(host, '/login/keep')
    await setPolicy(host, { mode: 'optional' })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    await giveCode(browser, enrolment.code()).expect(200)
    expect(sessionOf(host)).to.deep.include({ basket: ['book'], theme: 'dark' })
  })

  it('is all of the host’s when a second step is set up, and the settings say so', async () => {
    const host = hostWithBasket()
    const browser = await shopAndSignIn(host, '/login/keep')
    await enrol(host, ann, browser)
    const session = sessionOf(host)
    // enrol() signs in once more, by Passport's own rules; the set-up itself keeps what it finds.
    expect(session.secondStep).to.have.all.keys('verified')
    await browser.post('/second-step/backup-codes/saved').set('Accept', HTML).expect(303)
    expect(sessionOf(host).secondStep).to.deep.include({ notice: 'codes-saved' })
  })
})
