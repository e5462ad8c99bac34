// Somebody who has the password gives a few wrong codes a day, too few to use a login up or to lock
// the authenticator: the owner's first mail came after 100 codes, or never.

import { expect } from 'chai'
import type { Mail } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { DAY, MINUTE, movedSystem } from '../../support/clock.js'
import { bob } from '../../support/host.js'
import { lostHost, member } from '../../support/lost.js'
import { movedCounters } from '../../support/moved-counters.js'
import { enrolledVisit, pendingBrowser, type Visit, wrongCodeOf } from '../../support/visits.js'

const carl = { ...bob, email: 'carl@acme.example' }
const SUBJECT = 'Acme: Somebody may know your password'
const NO_BACKUP_CODE = '000000-000000-000000-000000'

interface Guessed extends Visit {
  /** Mails about wrong codes so far, once all are out. */
  warnings(): Promise<readonly Mail[]>
  /** Gives a wrong code in a login of its own, an hour after the one before. */
  miss(code?: string): Promise<void>
  signInAgain(): Promise<void>
}

async function guessed(): Promise<Guessed> {
  const system = movedSystem()
  const { options, mails, idle } = lostHost({ counters: movedCounters(system) }, [member, carl])
  const visit = await enrolledVisit({ ...options, system })
  const { host, enrolment } = visit
  const inNewLogin = async (give: (browser: Browser) => Promise<void>) => {
    system.advance(61 * MINUTE)
    await give(await pendingBrowser(host, member))
    await idle(host)
  }
  return {
    ...visit,
    warnings: async () => {
      await idle(host)
      return mails.filter(({ subject }) => subject === SUBJECT)
    },
    miss: (code) =>
      inNewLogin(async (browser) => {
        await giveCode(browser, code ?? wrongCodeOf(host, enrolment)).expect(401)
      }),
    signInAgain: () =>
      inNewLogin(async (browser) => {
        await giveCode(browser, enrolment.code()).expect(200)
      }),
  }
}

describe('the owner of a guessed account', () => {
  it('gets a mail at the third wrong code in a row, in however many logins', async () => {
    const { miss, warnings } = await guessed()
    for (const expected of [0, 0, 1, 1, 1]) {
      await miss()
      expect(await warnings()).to.have.length(expected)
    }
    const [{ to = '', text = '' } = {}] = await warnings()
    expect(to).to.equal(member.email)
    expect(text).to.contain('three or more wrong codes in a row')
    expect(text).to.contain('127.0.0.1').and.contain('Change it now')
  })

  it('gets one a day, however many there are, and hears how many', async () => {
    const { host, miss, warnings } = await guessed()
    for (let day = 1; day <= 4; day += 1) {
      for (let code = 0; code < 19; code += 1) await miss()
      host.system.advance(DAY - 19 * 61 * MINUTE)
      expect(await warnings()).to.have.length(day)
    }
    const [first, second] = await warnings()
    expect(first?.text).to.not.contain('more times')
    expect(second?.text).to.contain('It happened 18 more times')
  })

  it('gets none where a right code comes in between', async () => {
    const { miss, signInAgain, warnings } = await guessed()
    for (let round = 0; round < 3; round += 1) {
      await miss()
      await miss()
      await signInAgain()
    }
    expect(await warnings()).to.deep.equal([])
    for (let code = 0; code < 3; code += 1) await miss()
    expect(await warnings()).to.have.length(1)
  })

  it('gets it for backup codes and one-time codes too, and for a mixture', async () => {
    const { miss, warnings } = await guessed()
    await miss(NO_BACKUP_CODE)
    await miss()
    await miss(NO_BACKUP_CODE)
    expect(await warnings()).to.have.length(1)
  })

  it('gets one, not two, from a login that is used up', async () => {
    const { host, enrolment, warnings } = await guessed()
    const browser = await pendingBrowser(host, member)
    for (let code = 0; code < 5; code += 1) {
      await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    }
    await giveCode(browser, enrolment.code()).expect(401)
    expect(await warnings()).to.have.length(1)
  })

  it('gets none for a used code, nor for one mistyped while setting up', async () => {
    const { host, browser, enrolment, warnings } = await guessed()
    await signIn(browser, member, enrolment)
    const used = enrolment.code()
    for (let code = 0; code < 4; code += 1) {
      await giveCode(await pendingBrowser(host, member), used).expect(401)
    }
    const newcomer = browserOf(host)
    await passFirstStep(newcomer, carl).expect(302)
    const { body } = await getJson(newcomer, '/second-step/setup').expect(200)
    for (let code = 0; code < 4; code += 1) {
      const wrong = wrongCodeOf(host, body)
      await postJson(newcomer, '/second-step/setup', { code: wrong }).expect(401)
    }
    expect(await warnings()).to.deep.equal([])
  })
})
