import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { sessionsOf } from '../../support/sessions.js'
import { pendingVisit, recordOf, setPolicy, signedInVisit } from '../../support/visits.js'

/** Lets something happen in the moment between a request's reading of the record and its write. */
function beforeNextWrite({ store }: Host, happen: () => Promise<unknown>): void {
  const write = store.write
  store.write = async (record, expectedVersion) => {
    store.write = write
    await happen()
    return write(record, expectedVersion)
  }
}

// Promise 1: what was revoked while a code was on its way is not revived by that code.
describe('a session that is ended while its request runs', () => {
  it('is not signed in by a right code: nothing is burned', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    beforeNextWrite(host, () => host.secondStep.endSessions('ann'))
    expectProblem(await giveCode(browser, enrolment.code()), 'sign-in-again', 401)
    await getJson(browser, '/inside').expect(401, { user: null })
    const again = browserOf(host)
    await passFirstStep(again, ann).expect(200)
    await giveCode(again, enrolment.code()).expect(200)
  })

  it('is not signed in by a backup code, which is not used up', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    beforeNextWrite(host, () => host.secondStep.endSessions('ann'))
    expectProblem(await giveCode(browser, enrolment.backupCodes[0]), 'sign-in-again', 401)
    expect((await recordOf(host)).backupCodes?.codes[0]?.usedAt).to.equal(null)
  })

  it('is not revived by a code at /fresh', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    beforeNextWrite(host, () => host.secondStep.endSessions('ann'))
    const answer = await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
    expectProblem(answer, 'sign-in-again', 401)
    await getJson(browser, '/inside').expect(401, { user: null })
  })

  for (const mode of ['optional', 'required'] as const) {
    it(`binds no authenticator where the policy is ${mode}`, async () => {
      // The owner ends all sessions; the thief's set-up must not come through at that moment.
      const host = makeHost()
      await setPolicy(host, { mode })
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      const { body } = await getJson(browser, '/second-step/setup').expect(200)
      const code = virtualAuthenticator(body.secret).code(host.system.now())
      beforeNextWrite(host, () => host.secondStep.endSessions('ann'))
      const answer = await postJson(browser, '/second-step/setup', { code })
      expectProblem(answer, 'sign-in-again', 401)
      expect(authenticatorOf(await recordOf(host))).to.equal(null)
      await getJson(browser, '/inside').expect(401, { user: null })
    })
  }

  it('binds no second authenticator when another browser was quicker', async () => {
    // In another process of the app's: in one, changes of a record take turns.
    const host = makeHost()
    const other = makeHost({ options: { store: host.store }, system: host.system })
    const [slow, quick] = [browserOf(host), browserOf(other)]
    for (const browser of [slow, quick]) await passFirstStep(browser, ann)
    const { body } = await getJson(slow, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    // In no time: a change that has lost a race tries again for as long as one call may take.
    const system = { ...host.system, advance: () => undefined }
    beforeNextWrite(host, () => enrol({ app: other.app, system }, ann, quick))
    const answer = await postJson(slow, '/second-step/setup', { code })
    expect(answer.status).to.be.oneOf([401, 409])
    await getJson(slow, '/inside').expect(401, { user: null })
    await getJson(quick, '/inside').expect(200)
  })

  it('stays ended where it was logged out while a fresh code was on its way', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const stamps = sessionsOf(host).flatMap(({ secondStep }) => secondStep?.verified?.id ?? [])
    beforeNextWrite(host, async () => {
      const record = await recordOf(host)
      const ended = stamps.map((id) => ({ id, version: record.version }))
      const next = { ...record, ended, version: record.version + 1, writeId: 'log-out' }
      expect(await host.store.write(next, record.version)).to.equal(true)
    })
    await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
    await getJson(browser, '/inside').expect(401, { user: null })
  })
})
