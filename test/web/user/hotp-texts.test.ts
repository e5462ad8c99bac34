// What a user with a counting device reads. The mistake: pages about an app and its clock, for a device that has
// a button and no clock.

import { expect } from 'chai'
import type { Response } from 'supertest'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, passFirstStep } from '../../support/browser.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { oathtoolPress } from '../../support/oathtool.js'
import { pendingBrowser } from '../../support/visits.js'

const SETUP = '/second-step/setup'

async function settingUp(): Promise<{ host: Host; browser: Browser; secret: string }> {
  const host = makeHost({ options: { authenticators: ['totp', 'hotp'] } })
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  const { body } = await getJson(browser, `${SETUP}?type=hotp`).expect(200)
  return { host, browser, secret: body.secret }
}

describe('the set-up of a device that counts its codes', () => {
  it('says to press the button, and nothing of the time or of any app', async () => {
    const { browser } = await settingUp()
    const { text } = await getPage(browser, `${SETUP}?type=hotp`).expect(200)
    expect(text).to.include('Press its button')
    expect(text).to.include('a code from your device')
    expect(text).to.include('counter-based codes')
    for (const misleading of ['your phone', 'Microsoft Authenticator', 'the app shows now']) {
      expect(text).not.to.include(misleading)
    }
  })

  it('answers a wrong code with the button, not with the clock', async () => {
    const { browser, secret } = await settingUp()
    const code = await oathtoolPress(secret, 500)
    const json = await postJson(browser, SETUP, { code })
    expectProblem(json, 'wrong-code', 401)
    const page = await postForm(browser, SETUP, { code }).expect(401)
    for (const text of [json.body.detail, page.text]) {
      expect(text)
        .to.include('Press the button again')
        .and.not.match(/clock|Wait for the next/)
    }
  })

  it('says how many digits a code has, in JSON as on the page', async () => {
    const { browser } = await settingUp()
    for (const code of ['12345678', '12']) {
      const json = await postJson(browser, SETUP, { code })
      expectProblem(json, 'malformed-request', 400)
      expect(json.body).to.include({ field: 'code', detail: 'A code has 6 digits.' })
      const page = await postForm(browser, SETUP, { code }).expect(400)
      expect(page.text).to.include('A code has 6 digits.').and.not.include('your app has')
    }
  })
})

describe('the settings of a user with a counting device alone', () => {
  it('speak of a device, not of a phone or an app', async () => {
    const { browser, secret } = await settingUp()
    const code = await oathtoolPress(secret, 0)
    const codes = await postForm(browser, SETUP, { code }).expect(200)
    expect(codes.text).to.include('your device').and.not.include('your phone')
    const { text } = await getPage(browser, '/second-step/').expect(200)
    expect(text).to.include('Change this device')
    expect(text).to.include('This device works until you have confirmed the new one')
    expect(text).not.to.match(/phone|your app|current app/i)
  })

  it('call an app an app, also beside a device', async () => {
    const { host, browser, secret } = await settingUp()
    await postJson(browser, SETUP, { code: await oathtoolPress(secret, 0) }).expect(200)
    const asked = { code: await oathtoolPress(secret, 1), type: 'totp' }
    const { body } = await postJson(browser, '/second-step/authenticators', asked).expect(200)
    const app = virtualAuthenticator(body.uri)
    await postJson(browser, SETUP, { code: app.code(host.system.now()) }).expect(200)
    const { text } = await getPage(browser, '/second-step/').expect(200)
    for (const label of ['Change this device', 'Change your phone or app']) {
      expect(text.split(`<summary aria-label="${label}`)).to.have.length(2)
    }
  })
})

describe('the page for the code, while a counting device waits', () => {
  it('says when codes from devices work again, not codes from an app', async () => {
    const { host, browser, secret } = await settingUp()
    await postJson(browser, SETUP, { code: await oathtoolPress(secret, 0) }).expect(200)
    const wrong = { code: await oathtoolPress(secret, 500) }
    const page = await untilBlocked(async () =>
      postForm(await pendingBrowser(host), '/second-step/challenge', wrong),
    )
    expect(page.text).to.include('codes from your devices are not accepted')
    expect(page.text).to.include('Codes from your devices work again on')
    expect(page.text).not.to.include('your app')
  })
})

async function untilBlocked(miss: () => Promise<Response>): Promise<Response> {
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await miss()
    if (answer.status === 429) return answer
  }
  throw new Error('never blocked')
}
