// A host's clock that tells fractions of a millisecond, such as one made of performance.now(): they went into
// records and ids, which nothing could read again.

import { expect } from 'chai'
import { getJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, signIn } from '../../support/browser.js'
import { movedSystem, SECOND } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { pendingBrowser, recordOf, wrongCodeOf } from '../../support/visits.js'

describe('a clock that tells fractions of a millisecond', () => {
  it('writes whole ones, so that records and the audit log are read again', async () => {
    const system = movedSystem()
    system.advance(0.376)
    const host = makeHost({ system })
    const enrolment = await enrol(host, ann)
    system.advance(30 * SECOND)
    await giveCode(await pendingBrowser(host), wrongCodeOf(host, enrolment)).expect(401)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    const { body } = await getJson(browser, '/second-step/').expect(200)
    expect(body.events).not.to.deep.equal([])
    const { misses } = (await recordOf(host)).attempts
    expect(misses).to.have.length(1)
    expect(misses.every(Number.isInteger)).to.equal(true)
  })
})
