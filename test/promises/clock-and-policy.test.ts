// The mistake: a pause or a grace period that renews itself at a login (stellar-wallet #62, breeze
// #5686), that is kept in the session (GitLab #29702), that miscounts (GitLab #373319). Whoever knows
// the password then signs in with it alone for longer than an admin has allowed.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { AppsOnOneRedis } from '../support/apps-on-one-redis.js'
import { DAY, MINUTE, SECOND } from '../support/clock.js'
import { enrolledAdmin } from '../support/demo-admin.js'
import { enrolNewPerson, newPerson, type Person, passwordLogin } from '../support/example-app.js'
import { Visitor } from '../support/visitor.js'

const POLICY = '/admin/second-step/policy'
const SETTINGS = '/second-step/'
const SETUP = '/second-step/setup'
const CHALLENGE = '/second-step/challenge'

/** Somebody with an account and without a second step, signed in. */
async function registeredAt(url: string): Promise<{ person: Person; session: Visitor }> {
  const session = new Visitor(url)
  const person = newPerson()
  expect((await session.postJson('/register', person)).status).to.equal(201)
  return { person, session }
}

/** @returns what the login says, and the session that it made */
async function loginAt(url: string, person: Person) {
  const session = new Visitor(url)
  const { body } = await passwordLogin(session, person)
  return { session, says: body.status, next: body.next }
}

async function assertInside(session: Visitor): Promise<void> {
  expect((await session.getJson('/account')).status).to.equal(200)
}

/** The app sees an anonymous visitor, and redirects them to the one open page. */
async function assertNoFurtherThan(page: string, session: Visitor): Promise<void> {
  expect((await session.getJson('/account')).status).to.equal(401)
  const { status, headers } = await session.getPage('/account')
  expect([status, headers.location]).to.deep.equal([303, page])
  expect((await session.getJson(SETTINGS)).status).to.be.oneOf([401, 403])
}

describe('Rules, days of grace and pauses, in processes with clocks of their own', function () {
  this.timeout(120_000)
  let apps: AppsOnOneRedis
  beforeEach(async () => {
    apps = await AppsOnOneRedis.open()
  })
  afterEach(() => apps?.close())

  it('a rule that is switched on holds in three processes at the next request, and no longer once it is off', async () => {
    const urls = await Promise.all([apps.start(), apps.start(), apps.start()])
    const admin = await enrolledAdmin(urls[0])
    const people = await Promise.all(urls.map(registeredAt))
    for (const { session } of people) await assertInside(session)

    const rule = { mode: 'required', graceDays: 0 }
    const required = await admin.putJson(POLICY, rule)
    expect([required.status, required.body.mode]).to.deep.equal([200, 'required'])
    for (const [index, { person, session }] of people.entries()) {
      await assertNoFurtherThan(SETUP, session)
      const login = await loginAt(urls[index] ?? '', person)
      expect([login.says, login.next]).to.deep.equal(['setup-required', SETUP])
    }

    expect((await admin.putJson(POLICY, { mode: 'optional' })).status).to.equal(200)
    for (const [index, { person, session }] of people.entries()) {
      await assertInside(session)
      const login = await loginAt(urls[index] ?? '', person)
      expect(login.says).to.equal('signed-in')
      await assertInside(login.session)
    }
  })

  it('days of grace end once, for a live session and for a login, whoever signed in meanwhile', async () => {
    const url = await apps.start()
    const admin = await enrolledAdmin(url)
    const { person, session } = await registeredAt(url)
    const before = Date.now()
    expect((await admin.putJson(POLICY, { mode: 'required' })).status).to.equal(200)
    const deadline = await deadlineOf(session)
    expect(deadline).to.be.within(before + 7 * DAY, Date.now() + 7 * DAY)

    const lastMinute = await apps.restartAt(deadline - MINUTE)
    await assertInside(session.at(lastMinute))
    const late = await loginAt(lastMinute, person)
    expect(late.says).to.equal('signed-in')
    await assertInside(late.session)
    for (const visitor of [session.at(lastMinute), late.session]) {
      expect(await deadlineOf(visitor), 'a login gives no new days').to.equal(deadline)
      expect((await visitor.getPage(SETTINGS)).text).to.contain(SETUP)
    }

    const over = await apps.restartAt(deadline + SECOND)
    const login = await loginAt(over, person)
    expect([login.says, login.next]).to.deep.equal(['setup-required', SETUP])
    const [early, lateSession] = [session.at(over), late.session.at(over)]
    for (const visitor of [early, lateSession, login.session]) {
      await assertNoFurtherThan(SETUP, visitor)
    }
    expect((await lateSession.postJson('/logout')).body.status).to.equal('signed-out')
    expect((await lateSession.getJson(SETUP)).body.code).to.equal('not-signed-in')
    const { secret = '' } = (await early.getJson(SETUP)).body
    const code = virtualAuthenticator(secret).code(deadline + SECOND)
    expect((await early.postJson(SETUP, { code })).status).to.equal(200)
    await assertInside(early)
  })

  it('a pause of a day ends by itself, and no login in it makes it longer', async () => {
    const url = await apps.start()
    const admin = await enrolledAdmin(url)
    const withCode = new Visitor(url)
    const person = await enrolNewPerson(withCode)
    const id = (await withCode.getJson('/account')).body.user?.id
    const before = Date.now()
    const paused = await admin.postJson(`/admin/second-step/users/${id}/pause`, { days: 1 })
    expect([paused.status, paused.body.state]).to.deep.equal([200, 'paused'])
    const end = Date.parse(paused.body.pausedUntil ?? '')
    expect(end).to.be.within(before + DAY, Date.now() + DAY)
    const first = await loginAt(url, person)
    expect(first.says).to.equal('signed-in')
    await assertInside(first.session)

    const lastMinute = await apps.restartAt(end - MINUTE)
    await assertInside(first.session.at(lastMinute))
    const last = await loginAt(lastMinute, person)
    expect(last.says).to.equal('signed-in')
    const { pausedUntil } = (await last.session.getJson(SETTINGS)).body
    expect(pausedUntil, 'a login renews nothing').to.equal(paused.body.pausedUntil)

    const over = await apps.restartAt(end + SECOND)
    const login = await loginAt(over, person)
    expect([login.says, login.next]).to.deep.equal(['code-required', CHALLENGE])
    const sessions = [first.session.at(over), last.session.at(over), login.session]
    for (const session of sessions) await assertNoFurtherThan(CHALLENGE, session)
    const code = person.authenticator.code(end + SECOND)
    expect((await login.session.postJson(CHALLENGE, { code })).status).to.equal(200)
    await assertInside(login.session)
    await assertInside(withCode.at(over))
  })
})

async function deadlineOf(session: Visitor): Promise<number> {
  return Date.parse((await session.getJson(SETTINGS)).body.setupDeadline ?? '')
}
