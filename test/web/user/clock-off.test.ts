// A phone that is 55 seconds off, of a user who cannot set its clock: the set-up accepts it, and so does
// every login after it. One code still opens one door.

import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { oathtoolCodeAt } from '../../support/oathtool.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const SETUP = '/second-step/setup'

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

  it('by more than a minute is told by how much, as JSON too', async () => {
    const { host, browser, secret } = await settingUp()
    const code = virtualAuthenticator(secret).code(host.system.now() - 180 * SECOND)
    const refused = await postJson(browser, SETUP, { code })
    expect(refused.status).to.equal(401)
    expect(refused.body).to.include({ code: 'wrong-code', clockOff: -180 })
  })
})
