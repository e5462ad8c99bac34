// What a user with a counting device reads. The mistake: pages about an app and its clock, for a device that has
// a button and no clock.

import { expect } from 'chai'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, passFirstStep } from '../../support/browser.js'
import { ann, makeHost } from '../../support/host.js'
import { oathtoolPress } from '../../support/oathtool.js'

const SETUP = '/second-step/setup'

async function settingUp(): Promise<{ browser: Browser; secret: string }> {
  const host = makeHost({ options: { authenticators: ['totp', 'hotp'] } })
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  const { body } = await getJson(browser, `${SETUP}?type=hotp`).expect(200)
  return { browser, secret: body.secret }
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
