import { expect } from 'chai'
import type { Response } from 'supertest'
import { expectProblem, expectSafeHeaders, postForm, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  giveCode,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { DAY, MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob, type HostOptions } from '../../support/host.js'
import {
  enrolledVisit,
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
  type Visit,
  wrongCodeOf,
} from '../../support/visits.js'

/** Misses so often, in as many logins as it takes, none of which is used up. */
async function missOften(times: number, visit: Visit): Promise<void> {
  for (let left = times; left > 0; left -= 4) {
    const browser = await pendingBrowser(visit.host)
    await missTimes(Math.min(left, 4), { ...visit, browser })
  }
}

function expectTooMany(answer: Response, seconds: number): void {
  expectProblem(answer, 'too-many-attempts', 429)
  expect(answer.headers['retry-after']).to.equal(String(seconds))
}

describe('wrong codes of one pending login', () => {
  it('end it: the last answers wrong-code, the next try sign-in-again, and it starts over', async () => {
    const visit = await pendingVisit()
    await missTimes(5, visit)
    const right = visit.enrolment.code()
    expectProblem(await giveCode(visit.browser, right), 'sign-in-again', 401)
    expectProblem(await giveCode(visit.browser, right), 'sign-in-again', 401)
    expectProblem(
      await giveCode(visit.browser, visit.enrolment.backupCodes[0]),
      'sign-in-again',
      401,
    )
    expect((await recordOf(visit.host)).backupCodes?.codes[0]?.usedAt).to.equal(null)

    await passFirstStep(visit.browser, ann).expect(200)
    visit.host.system.advance(MINUTE)
    await giveCode(visit.browser, visit.enrolment.code()).expect(200)
  })

  it('are as many as the policy says', async () => {
    const visit = await enrolledVisit()
    await setPolicy(visit.host, { codeAttempts: 3 })
    await passFirstStep(visit.browser, ann)
    await missTimes(3, visit)
    expectProblem(await giveCode(visit.browser, visit.enrolment.code()), 'sign-in-again', 401)
  })

  it('show on a page that leads back to the first step', async () => {
    const visit = await pendingVisit()
    await missTimes(5, visit)
    const page = await postForm(visit.browser, '/second-step/challenge', { code: '123456' })
    expect(page.status).to.equal(401)
    expect(page.text).to.include('href="/login"').and.to.not.include('name="code"')
  })
})

describe('wrong codes of one account', () => {
  it('make everybody wait from the fifth in a row, with the same bytes for right and wrong', async () => {
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    await missOften(5, visit)
    const before = await recordOf(host)
    const browser = await pendingBrowser(host)
    const right = await giveCode(browser, enrolment.code())
    const wrong = await giveCode(browser, wrongCodeOf(host, enrolment))
    expectTooMany(right, 60)
    expectSafeHeaders(right)
    expect(right.text).to.equal(wrong.text)
    const headersOf = ({ headers }: Response) => ({ ...headers, date: null })
    expect(headersOf(right)).to.deep.equal(headersOf(wrong))
    expect(await recordOf(host), 'an answer that changes nothing needs no write').to.deep.equal(
      before,
    )
  })

  it('show the same page too, with Retry-After', async () => {
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    await missOften(5, visit)
    const browser = await pendingBrowser(host)
    const post = (code: string) => postForm(browser, '/second-step/challenge', { code })
    const right = await post(enrolment.code()).expect(429).expect('Retry-After', '60')
    const wrong = await post(wrongCodeOf(host, enrolment)).expect(429)
    expect(right.text).to.equal(wrong.text)
    expect(right.text).to.include('There were too many wrong codes').and.to.include('name="code"')
  })

  it('wait no longer than they must, and use up nothing meanwhile', async () => {
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    await missOften(5, visit)
    const browser = await pendingBrowser(host)
    for (let time = 0; time < 10; time += 1) {
      expect((await giveCode(browser, enrolment.code())).status).to.equal(429)
    }
    host.system.advance(MINUTE - 1)
    expectTooMany(await giveCode(browser, enrolment.code()), 1)
    host.system.advance(1)
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('double the wait up to an hour', async () => {
    const visit = await enrolledVisit()
    await missOften(5, visit)
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const browser = await pendingBrowser(visit.host)
      expectTooMany(await giveCode(browser, visit.enrolment.code()), minutes * 60)
      visit.host.system.advance(minutes * MINUTE)
      await missTimes(1, { ...visit, browser: await pendingBrowser(visit.host) })
    }
  })

  it('let a backup code through meanwhile, which ends the wait', async () => {
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    await missOften(5, visit)
    const answer = await giveCode(await pendingBrowser(host), enrolment.backupCodes[0]).expect(200)
    expect(answer.body.method).to.equal('backup-code')
    await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
  })

  it('lock at 20 a day, whatever succeeds in between; a backup code still signs in', async () => {
    // The attacker tries four codes and waits for the owner to clear the row by signing in.
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    for (let round = 0; round < 5; round += 1) {
      await missOften(4, visit)
      if (round < 4) await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
      host.system.advance(30 * SECOND)
    }
    const browser = await pendingBrowser(host)
    expectTooMany(await giveCode(browser, enrolment.code()), 24 * 3600 - 150)
    expect((await host.secondStep.status('ann')).state).to.equal('locked')

    await giveCode(browser, enrolment.backupCodes[0]).expect(200)
    const after = await pendingBrowser(host)
    expect((await giveCode(after, enrolment.code())).status, 'it clears no lock').to.equal(429)
    host.system.advance(DAY - 150 * SECOND)
    await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
  })

  it('count at /fresh and at the challenge together', async () => {
    // A second route that has a budget of its own (Vaultwarden CVE-2026-27801).
    const visit = await signedInVisit()
    const { host, browser, enrolment } = visit
    await missOften(4, visit)
    const wrong = { code: wrongCodeOf(host, enrolment) }
    expectProblem(await postJson(browser, '/second-step/fresh', wrong), 'wrong-code', 401)
    expectTooMany(await postJson(browser, '/second-step/fresh', { code: enrolment.code() }), 60)
    expectTooMany(await giveCode(await pendingBrowser(host), enrolment.code()), 60)
    await browser.get('/inside').expect(200)
  })

  it('are forgotten when the password changes', async () => {
    const visit = await enrolledVisit()
    await missOften(5, visit)
    await visit.host.secondStep.passwordChanged('ann')
    await giveCode(await pendingBrowser(visit.host), visit.enrolment.code()).expect(200)
  })

  it('are not one by one account’s for another, and wrong passwords are none', async () => {
    const visit = await enrolledVisit()
    const { host, enrolment } = visit
    const stranger = browserOf(host)
    for (let time = 0; time < 30; time += 1) {
      await passFirstStep(stranger, { ...ann, password: 'guessed' }).expect(401)
    }
    for (let time = 0; time < 30; time += 1) await giveCode(stranger, '123456').expect(401)
    await passFirstStep(browserOf(host), bob).expect(302)
    await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
  })
})

describe('wrong codes of one address', () => {
  const behindProxy = (options: HostOptions['options']): HostOptions => ({
    options: { ...options },
    beforeGuard: ({ app }) => app.set('trust proxy', 1),
  })
  const giveFrom = (browser: Browser, ip: string, code: unknown) =>
    browser
      .post('/second-step/challenge')
      .set({ Accept: JSON_TYPE, 'X-Forwarded-For': ip })
      .send({ code })

  it('are as many as the option says, from all accounts and logins; right ones are none', async () => {
    const { host, enrolment } = await enrolledVisit(behindProxy({ ipLimit: 3 }))
    const at = '203.0.113.7'
    for (let login = 0; login < 5; login += 1) {
      await giveFrom(await pendingBrowser(host), at, enrolment.code()).expect(200)
      host.system.advance(30 * SECOND)
    }
    for (let miss = 0; miss < 3; miss += 1) {
      const answer = giveFrom(await pendingBrowser(host), at, wrongCodeOf(host, enrolment))
      expectProblem(await answer, 'wrong-code', 401)
    }
    const browser = await pendingBrowser(host)
    const refused = await giveFrom(browser, at, enrolment.code())
    expectProblem(refused, 'too-many-attempts', 429)
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 600)
    const backup = await giveFrom(browser, at, enrolment.backupCodes[0])
    expectProblem(backup, 'too-many-attempts', 429)
    await giveFrom(browser, '203.0.113.8', enrolment.code()).expect(200)
  })

  it('are not counted with false, and by request with a function', async () => {
    const visit = await enrolledVisit({ options: { ipLimit: false } })
    for (let round = 0; round < 26; round += 1) {
      await missOften(4, visit)
      await visit.host.secondStep.passwordChanged('ann')
    }
    const given = behindProxy({ ipLimit: (req) => (req.get('x-kiosk') === '1' ? false : 1) })
    const { host, enrolment } = await enrolledVisit(given)
    const wrong = wrongCodeOf(host, enrolment)
    await giveFrom(await pendingBrowser(host), '203.0.113.7', wrong).expect(401)
    await giveFrom(await pendingBrowser(host), '203.0.113.7', wrong).expect(429)
    await giveFrom(await pendingBrowser(host), '203.0.113.7', wrong)
      .set('X-Kiosk', '1')
      .expect(401)
  })

  it('are a hundred by default, whatever the account', async () => {
    const visit = await enrolledVisit()
    for (let round = 0; round < 25; round += 1) {
      await missOften(4, visit)
      await visit.host.secondStep.passwordChanged('ann')
    }
    const refused = await giveCode(await pendingBrowser(visit.host), visit.enrolment.code())
    expectProblem(refused, 'too-many-attempts', 429)
  })
})
