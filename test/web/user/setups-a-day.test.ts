// The attack: somebody who has the password of a user without a second step sets one up and turns it
// off again, without end. Each round sends mails and pushes older changes out of the user's log.

import { expect } from 'chai'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { DAY, movedSystem, SECOND } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { movedCounters } from '../../support/moved-counters.js'

/** Sets up and turns off again. */
async function aRound(host: Host) {
  const browser = browserOf(host)
  const { code } = await enrol(host, ann, browser)
  await postJson(browser, '/second-step/disable', { code: code() }).expect(200)
  host.system.advance(30 * SECOND)
}

describe('set-ups of one user', () => {
  it('are thirty a day at most, and others go on', async () => {
    const system = movedSystem()
    const host = makeHost({ system, options: { counters: movedCounters(system) } })
    for (let round = 0; round < 30; round += 1) await aRound(host)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await getJson(browser, '/second-step/setup').expect(200)
    const refused = await postJson(browser, '/second-step/setup', { code: '000000' })
    expectProblem(refused, 'too-many-attempts', 429)
    expect(Number(refused.headers['retry-after'])).to.be.within(1, DAY / SECOND)

    host.system.advance(DAY)
    await aRound(host)
  })

  it('are not used up by wrong codes', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    for (let miss = 0; miss < 55; miss += 1) {
      await getJson(browser, '/second-step/setup').expect(200)
      expectProblem(
        await postJson(browser, '/second-step/setup', { code: '000000' }),
        'wrong-code',
        401,
      )
    }
    await aRound(host)
  })
})
