import { expect } from 'chai'
import type { Policy } from '../../../lib/domain/policy.js'
import { getJson, getPage, postJson } from '../../support/answers.js'
import {
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { DAY, MINUTE, movedSystem } from '../../support/clock.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import {
  enrolledVisit,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
} from '../../support/visits.js'

/** Required of everybody from this moment on. */
function requiredFrom(host: Host): Partial<Policy> {
  return { mode: 'required', requiredSince: { general: host.system.now(), roles: {} } }
}

const inside = (status: string, user = 'ann') => ({ user, status })

describe('a rule that requires a second step', () => {
  it('leaves days of grace, says until when, and then lets nobody further than the set-up', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, requiredFrom(host))
    const deadline = new Date(host.system.now() + 7 * DAY).toISOString()
    await browser.get('/inside').expect(200, inside('none'))
    const settings = await getJson(browser, '/second-step/').expect(200)
    expect(settings.body).to.include({ mustSetUp: true, setupDeadline: deadline })
    host.system.advance(7 * DAY - 1)
    await browser.get('/inside').expect(200, inside('none'))
    host.system.advance(1)
    await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/setup')
    await getJson(browser, '/inside').expect(401)
    const late = browserOf(host)
    const login = await passFirstStep(late, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: '/second-step/setup' })
  })

  it('does not catch the log-out', async () => {
    // An enforcement that catches the log-out leaves nobody a way but the set-up.
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, { mode: 'required' })
    await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/setup')
    await browser.post('/logout').set('Accept', HTML).expect(200, { status: 'signed-out' })
    await getJson(browser, '/second-step/setup').expect(401)
  })

  it('gives no new days at a login, after a failed set-up or when it is switched off and on', async () => {
    // A grace period that renews itself at a login (stellar-wallet #62, breeze #5686).
    const host = makeHost()
    await setPolicy(host, requiredFrom(host))
    const deadline = new Date(host.system.now() + 7 * DAY).toISOString()
    const deadlineNow = async () => {
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      const { body } = await getJson(browser, '/second-step/').expect(200)
      return { browser, deadline: body.setupDeadline }
    }
    expect((await deadlineNow()).deadline).to.equal(deadline)
    host.system.advance(2 * DAY)
    const second = await deadlineNow()
    expect(second.deadline).to.equal(deadline)
    await getJson(second.browser, '/second-step/setup').expect(200)
    await postJson(second.browser, '/second-step/setup', { code: '000000' }).expect(401)
    expect((await deadlineNow()).deadline).to.equal(deadline)
    await setPolicy(host, { mode: 'optional' })
    expect((await deadlineNow()).deadline).to.equal(null)
    host.system.advance(2 * DAY)
    await setPolicy(host, requiredFrom(host))
    expect((await deadlineNow()).deadline).to.equal(deadline)
  })

  it('is kept in the record, not in the session: every session ends its grace together', async () => {
    // GitLab #29702.
    const host = makeHost()
    await setPolicy(host, requiredFrom(host))
    const [early, late] = [browserOf(host), browserOf(host)]
    await passFirstStep(early, ann)
    host.system.advance(6 * DAY)
    await passFirstStep(late, ann)
    host.system.advance(DAY)
    for (const browser of [early, late]) {
      await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/setup')
    }
  })

  it('begins with the account where the host tells when it was made', async () => {
    const system = movedSystem()
    const young: HostUser = { ...bob, createdAt: system.now() + DAY }
    const host = makeHost({ system, users: [ann, young] })
    await setPolicy(host, requiredFrom(host))
    system.advance(7 * DAY)
    const [old, other] = [browserOf(host), browserOf(host)]
    await getPage(old, '/inside').expect(401)
    expect((await passFirstStep(old, ann)).body.status).to.equal('setup-required')
    await passFirstStep(other, young).expect(302)
    await other.get('/inside').expect(200, inside('none', 'bob'))
  })

  it('gives an admin no days', async () => {
    const admin: HostUser = { ...ann, roles: ['admin'] }
    const host = makeHost({ users: [admin, bob] })
    await setPolicy(host, requiredFrom(host))
    expect((await passFirstStep(browserOf(host), admin)).body.status).to.equal('setup-required')
    await passFirstStep(browserOf(host), bob).expect(302)
  })

  it('refuses users who try to turn the second step off', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    await setPolicy(host, requiredFrom(host))
    const settings = await getJson(browser, '/second-step/').expect(200)
    expect(settings.body).to.include({ canDisable: false, mustSetUp: false, setupDeadline: null })
    await postJson(browser, '/second-step/disable', { code: enrolment.code() }).expect(409)
    await postJson(browser, '/second-step/reset', { code: enrolment.code() }).expect(200)
  })

  it('writes no record where nothing is required, and one write a user where it is', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    expect(await host.store.find('ann')).to.equal(null)
    await setPolicy(host, requiredFrom(host))
    for (let request = 0; request < 3; request += 1) await browser.get('/inside').expect(200)
    expect(await recordOf(host)).to.include({ version: 1, ruleStart: host.system.now() })
  })

  it('is noted once by requests that meet it at the same moment', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, requiredFrom(host))
    const answers = await Promise.all(Array.from({ length: 30 }, () => browser.get('/inside')))
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(30).fill(200))
    expect((await recordOf(host)).version).to.equal(1)
  })
})

describe('a rule that is eased', () => {
  it('signs a user in who waits for a set-up, at their next request and on the page they wanted', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    await getPage(browser, '/inside?page=2').expect(303)
    await setPolicy(host, { mode: 'optional' })
    await browser.get('/inside').expect(200, inside('none'))
    await getPage(browser, '/second-step/setup').expect(200)
  })

  it('signs a user in who waits for a code, and redirects them from the challenge', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    await getPage(browser, '/inside?page=2').expect(303)
    await setPolicy(host, { mode: 'off' })
    await getPage(browser, '/second-step/challenge')
      .expect(303)
      .expect('Location', '/inside?page=2')
    await browser.get('/inside').expect(200, inside('none'))
    await setPolicy(host, { mode: 'optional' })
    await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/challenge')
    host.system.advance(MINUTE)
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('signs nobody in who cancels, signs out or signs in as somebody else', async () => {
    // On a shared browser: a wrong password as Bob must not answer with Ann's account.
    const asked = {
      '/second-step/cancel': { status: 200 },
      '/logout': { status: 200 },
      '/login': { status: 401 },
    }
    for (const [path, { status }] of Object.entries(asked)) {
      const { host, browser } = await pendingVisit()
      await setPolicy(host, { mode: 'off' })
      const answer = await postJson(browser, path, { username: 'bob', password: 'wrong' })
      expect(answer.status, path).to.equal(status)
      expect(answer.body, path).to.not.have.property('user')
      if (path !== '/login') await getJson(browser, '/inside').expect(401)
    }
  })

  it('gives a new session id to a user whom it signs in', async () => {
    const { host, browser } = await pendingVisit()
    await setPolicy(host, { mode: 'off' })
    const answer = await browser.get('/inside').expect(200)
    expect(answer.get('Set-Cookie')?.[0]).to.match(/^connect\.sid=/)
  })

  it('frees nobody whose login was ended, is over, or whose user is gone', async () => {
    // A revoked session must not become a first step.
    const ends: Record<string, (host: Host) => unknown> = {
      'ended by the host': ({ secondStep }) => secondStep.endSessions('ann'),
      'begun with the old password': async ({ secondStep, system }) => {
        system.advance(1)
        await secondStep.passwordChanged('ann')
      },
      'ten minutes old': ({ system }) => system.advance(10 * MINUTE),
    }
    for (const [name, end] of Object.entries(ends)) {
      const { host, browser } = await pendingVisit()
      await end(host)
      await setPolicy(host, { mode: 'off' })
      const answer = await browser.get('/inside').set('Accept', JSON_TYPE)
      expect(answer.status, name).to.equal(401)
    }
  })

  it('signs in no user who is gone from the host', async () => {
    const users = [ann, bob]
    const { host, browser, enrolment } = await pendingVisit({ users })
    users.splice(0, 1)
    await setPolicy(host, { mode: 'off' })
    await getJson(browser, '/inside').expect(401)
    const { body } = await giveCode(browser, enrolment.code()).expect(401)
    expect(body.code).to.equal('sign-in-again')
  })
})

describe('rules of roles', () => {
  const roles = ['admin', 'clerk', 'robot']

  function hostWith(users: HostUser[]) {
    const findById = async (id: string) => users.find((user) => user.id === id) ?? null
    return makeHost({ users, options: { roles, users: { findById } } })
  }

  it('apply to users with the role, and to nobody else', async () => {
    const host = hostWith([{ ...ann, roles: ['clerk'] }, bob])
    await setPolicy(host, { roles: { clerk: 'required' } })
    expect((await passFirstStep(browserOf(host), ann)).body.status).to.equal('setup-required')
    await passFirstStep(browserOf(host), bob).expect(302)
  })

  it('look at the roles of now: one that was given or taken away meanwhile counts', async () => {
    // Roles that a session remembers may be out of date.
    const users: HostUser[] = [{ ...ann, roles: ['clerk'] }, bob]
    const host = hostWith(users)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await setPolicy(host, { mode: 'optional', roles: { admin: 'required' } })
    await browser.get('/inside').expect(200)
    users[0] = { ...ann, roles: ['clerk', 'admin'] }
    await getJson(browser, '/inside').expect(401)
    await getPage(browser, '/inside').expect(303).expect('Location', '/second-step/setup')
    users[0] = { ...ann, roles: ['clerk'] }
    await browser.get('/inside').expect(200, inside('none'))
  })

  it('ease what is required of everybody', async () => {
    const { host, browser } = await enrolledVisit({
      users: [{ ...ann, roles: ['robot'] }, bob],
      options: { roles, users: { findById: async () => ({ ...ann, roles: ['robot'] }) } },
    })
    await setPolicy(host, { mode: 'required', roles: { robot: 'off' } })
    await passFirstStep(browser, ann).expect(302)
    await browser.get('/inside').expect(200, inside('none'))
  })

  it('refuse where the users cannot be asked', async () => {
    // Every failure of a part is a refusal: roles that are not known are not "none" (promise 7).
    const findById = () => Promise.reject(new Error('away'))
    const host = makeHost({ options: { roles, users: { findById } } })
    await setPolicy(host, { roles: { clerk: 'required' } })
    await passFirstStep(browserOf(host), ann).expect(503)
  })

  it('take part in every kind of first set-up', async () => {
    const host = hostWith([{ ...ann, roles: ['clerk'] }, bob])
    await setPolicy(host, { roles: { clerk: 'required' } })
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    await browser.get('/inside').expect(200, inside('verified'))
  })
})

describe('the banner of the days of grace', () => {
  const routes = ({ app }: Pick<Host, 'app'>) => {
    app.get('/page', (req, res) => {
      const { secondStepBanner } = res.locals
      const deadline = req.secondStep?.setupDeadline?.toISOString() ?? null
      res.json({ banner: secondStepBanner, deadline })
    })
  }

  it('says until when, in the visitor’s language, with a link; and nothing otherwise', async () => {
    const host = makeHost({ routes })
    const browser = browserOf(host)
    await browser.get('/page').expect(200, { banner: '', deadline: null })
    await passFirstStep(browser, ann)
    await browser.get('/page').expect(200, { banner: '', deadline: null })
    await setPolicy(host, requiredFrom(host))
    const { body } = await browser.get('/page').expect(200)
    expect(body.deadline).to.equal(new Date(host.system.now() + 7 * DAY).toISOString())
    expect(body.banner)
      .to.match(/^<p class="second-step-banner" role="status">/)
      .and.contain(
        `set it up by <time datetime="${body.deadline}" data-local="long">January 12, 2026`,
      )
      .and.contain('href="/second-step/setup"')
    const russian = await browser.get('/page').set('Accept-Language', 'ru')
    expect(russian.body.banner).to.contain('12 января 2026')
    await enrol(host, ann, browserOf(host))
    await browser.get('/page').expect(200, { banner: '', deadline: null })
  })

  it('can be replaced by the app, or left out of a page', async () => {
    for (const banner of ['', '<p>Ours</p>']) {
      const host = makeHost({
        mount: ({ app }) =>
          void app.use((_req, res, next) => {
            res.locals.secondStepBanner = banner
            next()
          }),
        routes,
      })
      await setPolicy(host, requiredFrom(host))
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      const { body } = await browser.get('/page').expect(200)
      expect(body.banner).to.equal(banner)
    }
  })
})
