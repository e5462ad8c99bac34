// A phone that is 55 seconds off, of a user who cannot set its clock: the set-up accepts it, and so does
// every login after it. One code still opens one door. Once its clock is put right, two codes in a row bring it back.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { oathtoolCodeAt } from '../../support/oathtool.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const SETUP = '/second-step/setup'
const CHALLENGE = '/second-step/challenge'
const RESYNC = '/second-step/resync'

/** What makes codes of a secret, at a time of its own. */
type Device = (secret: string, at: number) => Promise<string>

const devices: Readonly<Record<string, Device>> = {
  'the virtual authenticator': async (secret, at) => virtualAuthenticator(secret).code(at),
  oathtool: oathtoolCodeAt,
}

/** Ann signs in without a second step and looks at the key. */
async function settingUp(): Promise<{ host: Host; browser: Browser; secret: string }> {
  const host = makeHost()
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(302)
  const { body } = await getJson(browser, SETUP).expect(200)
  return { host, browser, secret: body.secret }
}

describe('a phone whose clock is off', () => {
  for (const [what, codeAt] of Object.entries(devices)) {
    for (const off of [-55, 55]) {
      it(`by ${off} seconds signs in every time (${what})`, async () => {
        const { host, browser, secret } = await settingUp()
        const code = () => codeAt(secret, host.system.now() + off * SECOND)
        await postJson(browser, SETUP, { code: await code() }).expect(200)
        for (const wait of [31, 30, 37, 44, 59, 61, 90, 3600, 33, 47]) {
          host.system.advance(wait * SECOND)
          const used = await code()
          await giveCode(await pendingBrowser(host), used).expect(200)
          expectProblem(await giveCode(await pendingBrowser(host), used), 'wrong-code', 401)
        }
        expect((await recordOf(host)).attempts.misses, 'nothing was a miss').to.deep.equal([])
      })
    }
  }

  for (const off of [-60, 60]) {
    it(`by ${off} seconds and is put right does not lock its user out: two codes in a row sign in`, async () => {
      const { host, browser, secret } = await settingUp()
      const codeAt = (at: number) => virtualAuthenticator(secret).code(at)
      const off60 = { code: codeAt(host.system.now() + off * SECOND) }
      await postJson(browser, SETUP, off60).expect(200)
      host.system.advance(3600 * SECOND)
      // The user sets the clock, as the page advises.
      const now = host.system.now()
      const [code, nextCode] = [codeAt(now - 30 * SECOND), codeAt(now)]
      const login = await pendingBrowser(host)
      const wrong = await postForm(login, CHALLENGE, { code: nextCode }).expect(401)
      expect(wrong.text).to.include('two codes in a row').and.not.include('sets its clock')
      expect(wrong.text).to.include('action="/second-step/resync"')
      // Only near the right time, and as a miss of the one budget.
      const far = { code: codeAt(now + 90 * SECOND), nextCode: codeAt(now + 120 * SECOND) }
      expectProblem(await postJson(login, RESYNC, far), 'wrong-code', 401)
      expect((await recordOf(host)).attempts.misses).to.have.length(2)
      await postJson(login, RESYNC, { code, nextCode }).expect(200)
      expect((await recordOf(host)).authenticators[0]).to.include({ offset: 0 })
      expectProblem(await giveCode(await pendingBrowser(host), nextCode), 'wrong-code', 401)
      host.system.advance(30 * SECOND)
      await giveCode(await pendingBrowser(host), codeAt(host.system.now())).expect(200)
    })
  }

  it('offers two codes in a row in the settings, as long as it is noted to be off', async () => {
    const { host, browser, secret } = await settingUp()
    const codeAt = (at: number) => virtualAuthenticator(secret).code(at)
    const { system } = host
    await postJson(browser, SETUP, { code: codeAt(system.now() - 60 * SECOND) }).expect(200)
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text).to.include('action="/second-step/resync"')
    const pair = { code: codeAt(system.now()), nextCode: codeAt(system.now() + 30 * SECOND) }
    await postForm(browser, RESYNC, pair).expect(303)
    const inStep = await getPage(browser, '/second-step/').expect(200)
    expect(inStep.text).to.include('Your device is in step again.')
    expect((await recordOf(host)).authenticators[0]).to.include({ offset: 1 })
    system.advance(60 * SECOND)
    await giveCode(await pendingBrowser(host), codeAt(system.now())).expect(200)
    const after = await getPage(browser, '/second-step/').expect(200)
    expect(after.text).not.to.include('/second-step/resync')
  })

  it('by more than a minute is told by how much, as JSON too', async () => {
    const { host, browser, secret } = await settingUp()
    const code = virtualAuthenticator(secret).code(host.system.now() - 180 * SECOND)
    const refused = await postJson(browser, SETUP, { code })
    expect(refused.status).to.equal(401)
    expect(refused.body).to.include({ code: 'wrong-code', clockOff: -180 })
  })
})
