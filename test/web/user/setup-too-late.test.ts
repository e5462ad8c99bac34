// The attack: after a reset the password alone leads to the set-up, for a day. Somebody who knows the password asks for
// it in the last moment, while the app's user store is slow, so that the day is over before the set-up is written.

import { expect } from 'chai'
import { Passport } from 'passport'
import { blankRecord } from '../../../lib/domain/record.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const SETUP = '/second-step/setup'

describe('a set-up after a reset whose day ends while the app looks up the user', () => {
  const lastMoment = async () => {
    const passport = new Passport()
    const happens = { whileLookedUp: () => {} }
    passport.deserializeUser((_id, done) => {
      happens.whileLookedUp()
      done(null, ann)
    })
    const host = makeHost({ passport })
    const now = host.system.now()
    const mustSetUp = { from: now + MINUTE - DAY, until: now + MINUTE }
    const reset = { ...blankRecord(ann.id), mustSetUp, version: 1, writeId: 'reset' }
    expect(await host.store.write(reset, 0)).to.equal(true)
    const browser = await pendingBrowser(host, ann)
    const endTheDay = () => {
      happens.whileLookedUp = () => host.system.advance(2 * MINUTE)
    }
    return { host, browser, endTheDay }
  }

  it('does not begin', async () => {
    const { host, browser, endTheDay } = await lastMoment()
    endTheDay()
    expectProblem(await getJson(browser, SETUP), 'sign-in-again', 401)
    expect((await recordOf(host)).setup).to.equal(null)
  })

  it('is not confirmed', async () => {
    const { host, browser, endTheDay } = await lastMoment()
    const { body } = await getJson(browser, SETUP).expect(200)
    const device = virtualAuthenticator(body.uri)
    endTheDay()
    const code = device.code(host.system.now() + 2 * MINUTE)
    expectProblem(await postJson(browser, SETUP, { code }), 'sign-in-again', 401)
    expect((await recordOf(host)).authenticators).to.deep.equal([])
  })
})
