// Whoever has done something looks for the word that it worked, on the page where they land.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { lostVisit, member } from '../../support/lost.js'
import { setPolicy, signedInVisit, wrongCodeOf } from '../../support/visits.js'

const SETTINGS = '/second-step/'
const SETUP = '/second-step/setup'
const SAVED = '/second-step/backup-codes/saved'
const CHALLENGE = '/second-step/challenge'

const saysSaved = async (browser: Browser) =>
  (await getPage(browser, SETTINGS).expect(200)).text.includes('Your backup codes are saved')

describe('the way back to the settings', () => {
  it('is taken after a change of phone, whose codes are saved', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const change = { code: enrolment.code() }
    const begun = await postJson(browser, '/second-step/change-key', change).expect(200)
    host.system.advance(30 * SECOND)
    const code = virtualAuthenticator(begun.body.secret).code(host.system.now())
    const page = await postForm(browser, SETUP, { code }).expect(200)
    expect(page.text).to.include('Your new device is set up')
    const saved = await postForm(browser, SAVED, { saved: '1' }).expect(303)
    expect(saved.headers.location).to.equal(SETTINGS)
    expect(await saysSaved(browser)).to.equal(true)
    expect(await saysSaved(browser), 'and only once').to.equal(false)
  })

  for (const backupCodes of [true, false]) {
    it(`is taken after a set-up ${backupCodes ? 'with' : 'without'} backup codes`, async () => {
      const host = makeHost()
      await setPolicy(host, { backupCodes })
      const browser = browserOf(host)
      await passFirstStep(browser, ann).expect(302)
      const shown = await getJson(browser, SETUP).expect(200)
      const code = virtualAuthenticator(shown.body.uri).code(host.system.now())
      const page = await postForm(browser, SETUP, { code }).expect(200)
      expect(page.text).to.include('Your second step is on')
      if (!backupCodes) expect(page.text).to.include(`<a class="button" href="${SETTINGS}">`)
      else {
        const saved = await postForm(browser, SAVED, { saved: '1' }).expect(303)
        expect(saved.headers.location).to.equal(SETTINGS)
      }
    })
  }
})

describe('a reset by mail that is cancelled', () => {
  it('is said to be over, on the challenge and in the settings, once', async () => {
    const { browser, enrolment } = await lostVisit({ lost: { delay: '24h' } })
    for (const path of [CHALLENGE, SETTINGS]) {
      if (path === SETTINGS) {
        await postJson(browser, CHALLENGE, { code: enrolment.code() }).expect(200)
      }
      const cancelled = await postForm(browser, '/second-step/lost/cancel').expect(303)
      expect(cancelled.headers.location).to.equal(path)
      const says = async () =>
        (await getPage(browser, path)).text.includes('The reset is cancelled')
      expect(await says(), path).to.equal(true)
      expect(await says(), `${path}, once`).to.equal(false)
    }
  })
})

describe('a sign-in that is used up', () => {
  it('does not forget the link of a reset that was opened in this browser', async () => {
    const { host, enrolment, ask, link } = await lostVisit()
    await ask()
    const other = browserOf(host)
    await getPage(other, link())
    await passFirstStep(other, member).expect(200)
    for (let miss = 0; miss < 5; miss += 1) {
      await postForm(other, CHALLENGE, { code: wrongCodeOf(host, enrolment) }).expect(401)
    }
    await passFirstStep(other, member).expect(200)
    expect((await getPage(other, CHALLENGE)).text).to.include('open the link')
  })
})
