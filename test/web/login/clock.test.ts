import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { pendingBrowser, pendingVisit, wrongCodeOf } from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'
const SETUP = '/second-step/setup'

describe('the server’s time at the challenge', () => {
  it('is shown from the second miss on, with how to set a clock', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const miss = () => postForm(browser, CHALLENGE, { code: wrongCodeOf(host, enrolment) })
    expect((await getPage(browser, CHALLENGE).expect(200)).text).to.not.include('data-clock')
    expect((await miss().expect(401)).text).to.not.include('data-clock')
    host.system.advance(5 * SECOND)
    const second = await miss().expect(401)
    expect(second.text).to.include('datetime="2026-01-05T12:00:35.000Z" data-clock>12:00:35 UTC<')
    expect(second.text).to.include('Set Automatically')
    const later = await getPage(await pendingBrowser(host), CHALLENGE).expect(200)
    expect(later.text, 'in another browser').to.include('data-clock')
  })

  it('goes again with the next right code', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    for (const _ of [1, 2]) {
      await postJson(browser, CHALLENGE, { code: wrongCodeOf(host, enrolment) }).expect(401)
    }
    await postJson(browser, CHALLENGE, { code: enrolment.code() }).expect(200)
    const page = await getPage(await pendingBrowser(host), CHALLENGE).expect(200)
    expect(page.text).to.not.include('data-clock')
  })

  it('is the same whether the code was near or far', async () => {
    // A guesser who learns that a guess was near needs far fewer guesses.
    const answerTo = async (minutes: number | null) => {
      const { host, browser, enrolment } = await pendingVisit()
      const near = virtualAuthenticator(enrolment.secret)
      const code =
        minutes === null
          ? wrongCodeOf(host, enrolment)
          : near.code(host.system.now() + minutes * MINUTE)
      await postForm(browser, CHALLENGE, { code }).expect(401)
      return (await postForm(browser, CHALLENGE, { code }).expect(401)).text
    }
    const far = await answerTo(null)
    for (const minutes of [-3, -1, 1, 3]) expect(await answerTo(minutes)).to.equal(far)
  })
})

describe('the clock at a set-up', () => {
  const settingUp = async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const { body } = await browser.get(SETUP).set('Accept', 'application/json').expect(200)
    const authenticator = virtualAuthenticator(body.secret)
    const codeAt = (minutes: number) => authenticator.code(host.system.now() + minutes * MINUTE)
    return { host, browser, secret: body.secret as string, codeAt }
  }

  it('is said to be behind or ahead, and by how much', async () => {
    const { browser, codeAt } = await settingUp()
    const told = async (minutes: number) =>
      (await postForm(browser, SETUP, { code: codeAt(minutes) }).expect(401)).text
    expect(await told(-3))
      .to.include('about 3 minutes behind')
      .and.to.include('12:00:00 UTC')
    expect(await told(10)).to.include('about 10 minutes ahead')
    expect(await told(-11)).to.not.include('data-clock')
    const behind = await postJson(browser, SETUP, { code: codeAt(-3) }).expect(401)
    expect(behind.body).to.include({ code: 'wrong-code', clockOff: -180 })
    const far = await postJson(browser, SETUP, { code: codeAt(-11) })
    expectProblem(far, 'wrong-code', 401)
    expect(far.body).to.not.have.property('clockOff')
  })

  it('is not the matter where the code is simply wrong', async () => {
    const { host, browser, secret } = await settingUp()
    const code = wrongCodeOf(host, { secret })
    const page = await postForm(browser, SETUP, { code }).expect(401)
    expect(page.text).to.not.include('data-clock')
  })

  it('gives nothing away for free: each such code counts as a miss', async () => {
    const { browser, codeAt } = await settingUp()
    for (let miss = 0; miss < 9; miss += 1) {
      await postForm(browser, SETUP, { code: codeAt(-3) }).expect(401)
    }
    const last = await postForm(browser, SETUP, { code: codeAt(-3) }).expect(410)
    expect(last.text, 'no other QR code unasked').to.not.include('otpauth:')
    await postForm(browser, SETUP, { code: codeAt(0) }).expect(410)
  })
})
