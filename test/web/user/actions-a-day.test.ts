// The attack: somebody who has the password and one backup code of a user's buys ten new codes with one,
// again and again, or shows the key with code after code. Each round sends mails and pushes older
// changes out of the user's log.

import { expect } from 'chai'
import { expectProblem, postJson } from '../../support/answers.js'
import type { Browser, Enrolment } from '../../support/browser.js'
import { DAY, movedSystem, SECOND } from '../../support/clock.js'
import type { Host } from '../../support/host.js'
import { movedCounters } from '../../support/moved-counters.js'
import { signedInVisit } from '../../support/visits.js'

/** Sets of codes a day: the set-up gave the first. */
const SETS = 30
const MAKE = '/second-step/backup-codes'
const SHOW = '/second-step/show-key'

function visit() {
  const system = movedSystem()
  const options = { counters: movedCounters(system), showKey: true }
  return signedInVisit({ system, options })
}

/** Makes sets of backup codes, each with a code of the last. */
async function renew(browser: Browser, first: string, times: number): Promise<string> {
  let code = first
  for (let round = 0; round < times; round += 1) {
    const { body } = await postJson(browser, MAKE, { code }).expect(200)
    code = body.backupCodes[0]
  }
  return code
}

async function showKey(host: Host, browser: Browser, { code }: Enrolment, times: number) {
  for (let round = 0; round < times; round += 1) {
    await postJson(browser, SHOW, { code: code() }).expect(200)
    host.system.advance(30 * SECOND)
  }
}

async function expectTooMany(browser: Browser, path: string, code: string): Promise<void> {
  const refused = await postJson(browser, path, { code })
  expectProblem(refused, 'too-many-attempts', 429)
  expect(Number(refused.headers['retry-after'])).to.be.within(1, DAY / SECOND)
}

describe('what one user does in a day', () => {
  it('gets thirty sets of backup codes at most, and the last one works', async () => {
    const { browser, enrolment } = await visit()
    const left = await renew(browser, enrolment.backupCodes[0] ?? '', SETS - 1)
    await expectTooMany(browser, MAKE, left)
    await expectTooMany(browser, MAKE, enrolment.code())
    await postJson(browser, '/second-step/fresh', { code: left }).expect(200)
  })

  it('says that this is all for today, until when, and that codes still work', async () => {
    const { browser, enrolment } = await visit()
    const left = await renew(browser, enrolment.backupCodes[0] ?? '', SETS - 1)
    const page = await browser
      .post(MAKE)
      .type('form')
      .set('Accept', 'text/html')
      .send({ code: left })
    expect(page.status).to.equal(429)
    // The day begins with the set-up, which gave the first set.
    const until = new Date(movedSystem().now() + DAY).toISOString()
    expect(page.text).to.contain('often enough for one day').and.contain('do it again on')
    expect(page.text)
      .to.contain(`datetime="${until}"`)
      .and.not.match(/\d{3,} minutes/)
  })

  it('can make sets again on the next day', async () => {
    const { host, browser, enrolment } = await visit()
    const left = await renew(browser, enrolment.backupCodes[0] ?? '', SETS - 1)
    await expectTooMany(browser, MAKE, left)
    host.system.advance(DAY)
    await renew(browser, left, 1)
  })

  it('shows the key twenty times at most, apart from the sets', async () => {
    const { host, browser, enrolment } = await visit()
    await showKey(host, browser, enrolment, 20)
    await expectTooMany(browser, SHOW, enrolment.code())
    await renew(browser, enrolment.backupCodes[0] ?? '', 1)
  })

  it('is not used up by wrong codes', async () => {
    const { browser, enrolment } = await visit()
    for (let miss = 0; miss < SETS + 5; miss += 1) {
      const wrong = await postJson(browser, MAKE, { code: 'AAAAAA-AAAAAA-AAAAAA-AAAAAA' })
      expectProblem(wrong, 'wrong-code', 401)
    }
    await renew(browser, enrolment.backupCodes[0] ?? '', 1)
  })
})
