import { expect } from 'chai'
import { memoryAuditLog } from '../../../lib/index.js'
import { ADMIN, adminVisit, listOf, PEOPLE, usersOf } from '../../support/admin.js'
import { expectSafeHeaders, getJson, getPage } from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob } from '../../support/host.js'
import { missTimes, pendingBrowser, setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

/** Counting goes on in the background: asks until it is done. */
async function overviewAt(
  browser: Browser,
  isDone = (body: { enrolled: unknown }) => body.enrolled !== null,
) {
  for (;;) {
    const { body } = await getJson(browser, `${ADMIN}/`).expect(200)
    if (isDone(body)) return body
  }
}

describe('GET /', () => {
  it('tells how many users have a second step, in which state, by factor and by role', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await setPolicy(host, { mode: 'required' })
    const body = await overviewAt(browser)
    expectSafeHeaders(await getJson(browser, `${ADMIN}/`))
    expect(body).to.deep.include({
      known: 4,
      enrolled: 2,
      states: { on: 2, off: 0, 'must-set-up': 2, paused: 0, locked: 0 },
      fewBackupCodes: 0,
      unsavedBackupCodes: 2,
      factors: { totp: 2, hotp: 0, webauthn: 0 },
      roles: { user: { known: 2, enrolled: 1 }, admin: { known: 2, enrolled: 1 } },
    })
    expect(Object.keys(body)).to.have.members([
      ...['known', 'enrolled', 'states', 'inGrace', 'fewBackupCodes', 'unsavedBackupCodes'],
      ...['factors', 'roles', 'days'],
    ])
  })

  it('tells what the last thirty days had: set-ups, accepted and wrong codes', async () => {
    const { host, browser } = await adminVisit()
    const enrolment = await enrol(host, ann)
    await missTimes(2, { host, browser: await pendingBrowser(host), enrolment })
    const { days } = await overviewAt(browser)
    expect(days).to.have.length(30)
    const today = new Date(host.system.now()).toISOString().slice(0, 10)
    expect(days.at(-1)).to.deep.equal({ date: today, enrolled: 2, accepted: 1, wrong: 2 })
    expect(days[0]).to.deep.include({ enrolled: 0, accepted: 0, wrong: 0 })
  })

  it('counts at most once a minute, and again at once after a change of the policy', async () => {
    let pages = 0
    const list = listOf(PEOPLE)
    const users = {
      ...usersOf(PEOPLE),
      list: async (query: Parameters<typeof list>[0]) => {
        pages += 1
        return list(query)
      },
    }
    const { host, browser } = await adminVisit({ users })
    await overviewAt(browser)
    await enrol(host, ann)
    expect((await overviewAt(browser)).enrolled).to.equal(1)
    expect(pages).to.equal(1)
    host.system.advance(MINUTE)
    await overviewAt(browser, ({ enrolled }) => enrolled === 2)
    expect(pages).to.equal(2)
    await setPolicy(host, { mode: 'required' })
    await overviewAt(browser, (body) => Reflect.get(Object(body), 'states').off === 0)
    expect(pages).to.equal(3)
  })

  it('tells null for what nobody can know: without a list of users, or without counts of the log', async () => {
    const { attemptsOf, ...audit } = memoryAuditLog()
    expect(attemptsOf).to.be.a('function')
    const { host, browser } = await adminVisit({ users: usersOf(PEOPLE, false), audit })
    await enrol(host, bob)
    const body = await overviewAt(browser)
    expect(body).to.deep.include({
      ...{ known: null, enrolled: 2, inGrace: null },
      states: { on: 2, off: null, 'must-set-up': null, paused: 0, locked: 0 },
      roles: { user: { known: null, enrolled: 1 }, admin: { known: null, enrolled: 1 } },
    })
    expect(body.days.at(-1)).to.deep.include({ enrolled: 2, accepted: null, wrong: null })
  })

  // The mistake: an app without a realm counted the codes of all realms on the store as its own.
  it('counts no attempts where the store has users of another realm', async () => {
    const staff = await adminVisit({ realm: 'staff' })
    const { store, system } = staff.host
    const { browser } = await adminVisit({ store }, { system })
    const body = await overviewAt(browser)
    expect(body.days.at(-1)).to.deep.include({ enrolled: 1, accepted: null, wrong: null })
    expect(body.enrolled).to.equal(1)
  })

  it('tells the users also where the audit log cannot count, and the operator why', async () => {
    const audit = {
      ...memoryAuditLog(),
      attemptsOf: () => Promise.reject(new Error('too slow')),
    }
    const { browser } = await adminVisit({ audit })
    const warnings = await warningsDuring(async () => {
      const body = await overviewAt(browser)
      expect(body).to.deep.include({ known: 4, enrolled: 1 })
      expect(body.days.at(-1)).to.deep.include({ accepted: null, wrong: null })
    })
    expect(warnings.join()).to.contain('too slow')
  })

  it('shows them as a page: each number leads to its users, each picture has a table', async () => {
    const { browser } = await adminVisit()
    await overviewAt(browser)
    const page = await getPage(browser, `${ADMIN}/`).expect(200)
    expectSafeHeaders(page)
    expect(page.text).to.contain(`<a href="${ADMIN}/users?state=off">3</a>`)
    expect(page.text.match(/<svg [^>]*role="img"/g)).to.have.length(2)
    expect(page.text.match(/<caption>/g)).to.have.length(5)
    expect(page.text).not.to.match(/\sstyle=/)
  })

  it('tells null while nothing could be counted, and tells the operator why, once', async () => {
    const list = async () => {
      throw new Error('the users are away')
    }
    const { browser } = await adminVisit({ users: { ...usersOf(PEOPLE), list } })
    const told = await warningsDuring(async () => {
      for (let at = 0; at < 3; at += 1) await overviewAt(browser, () => true)
      await overviewAt(browser, () => true)
    })
    expect(told.filter((text) => text.includes('the users are away'))).to.have.length(1)
    const { known, days, states } = await overviewAt(browser, () => true)
    expect([known, states.on, days.length, days[0].enrolled]).to.deep.equal([null, null, 30, null])
  })
})
