import { expect } from 'chai'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'
import {
  enrolledVisit,
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
} from '../../support/visits.js'

describe('a pending login', () => {
  it('is good for ten minutes, to the millisecond', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    host.system.advance(10 * MINUTE - 1)
    await getJson(browser, '/second-step/challenge').expect(200)
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('is over after that, and the code is not burned', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    host.system.advance(10 * MINUTE)
    const before = await recordOf(host)
    expectProblem(await giveCode(browser, enrolment.code()), 'sign-in-again', 401)
    expectProblem(await getJson(browser, '/second-step/challenge'), 'sign-in-again', 401)
    const page = await getPage(browser, '/second-step/challenge').expect(401)
    expect(page.text).to.include('href="/login"')
    expect(await recordOf(host)).to.deep.equal(before)
    await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
  })

  it('says until when it is good', async () => {
    const { host, browser } = await pendingVisit()
    const { body } = await getJson(browser, '/second-step/challenge').expect(200)
    expect(body.expiresAt).to.equal(new Date(host.system.now() + 10 * MINUTE).toISOString())
    host.system.advance(MINUTE)
    const later = await getJson(browser, '/second-step/challenge').expect(200)
    expect(later.body.expiresAt, 'looking at it does not prolong it').to.equal(body.expiresAt)
  })

  it('is not prolonged by wrong codes and by pages that are refused', async () => {
    const visit = await pendingVisit()
    visit.host.system.advance(10 * MINUTE - 1)
    await missTimes(1, visit)
    await getPage(visit.browser, '/somewhere').expect(303)
    visit.host.system.advance(1)
    expectProblem(await giveCode(visit.browser, visit.enrolment.code()), 'sign-in-again', 401)
  })

  it('is over when the user’s sessions were ended meanwhile', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    await host.secondStep.endSessions('ann')
    const before = await recordOf(host)
    expectProblem(await giveCode(browser, enrolment.code()), 'sign-in-again', 401)
    expectProblem(await giveCode(browser, enrolment.backupCodes[0]), 'sign-in-again', 401)
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('is over when another browser set the second step up meanwhile', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const [slow, quick] = [await pendingBrowser(host), browserOf(host)]
    const { body } = await getJson(slow, '/second-step/setup').expect(200)
    expect(body.secret).to.be.a('string')
    const enrolment = await enrol(host, ann, quick)
    const answer = await postJson(slow, '/second-step/setup', { code: enrolment.code() })
    expectProblem(answer, 'sign-in-again', 401)
    expectProblem(await giveCode(slow, enrolment.code()), 'sign-in-again', 401)
  })

  it('holds no user, no wrong codes and no secret in the session', async () => {
    const visit = await pendingVisit()
    await missTimes(2, visit)
    const pending = sessionsOf(visit.host).filter(({ secondStep }) => secondStep?.pending)
    expect(pending).to.have.length(1)
    const [session] = pending
    expect(session).to.have.all.keys('cookie', 'secondStep')
    expect(session?.secondStep).to.have.all.keys('pending')
    const keys = [
      'id',
      'userId',
      'epoch',
      'at',
      'next',
      'passport',
      'keepSessionInfo',
      'locale',
      'subject',
      'stampId',
      'stampVersion',
      'site',
    ]
    expect(session?.secondStep?.pending).to.have.all.keys(...keys)
    expect(session?.secondStep?.pending?.id).to.match(/^[\w-]{22}$/)
  })

  it('has wrong codes of its own: cancelling and starting over clears no miss', async () => {
    // Attempts that start afresh with each session (AuthQuake).
    const visit = await pendingVisit()
    for (let login = 0; login < 5; login += 1) {
      await missTimes(1, visit)
      await postJson(visit.browser, '/second-step/cancel').expect(200)
      await passFirstStep(visit.browser, ann).expect(200)
    }
    expect((await giveCode(visit.browser, visit.enrolment.code())).status).to.equal(429)
  })
})

describe('a user who is gone when the code comes', () => {
  it('is not signed in, and nothing is burned', async () => {
    // Deleted or disabled between the two steps: Passport's deserialiser answers false.
    const users = [ann]
    const { host, browser, enrolment } = await pendingVisit({ users })
    users.pop()
    const before = await recordOf(host)
    const code = enrolment.code()
    expectProblem(await giveCode(browser, code), 'sign-in-again', 401)
    expectProblem(await giveCode(browser, enrolment.backupCodes[0]), 'sign-in-again', 401)
    await getJson(browser, '/inside').expect(401, { user: null })
    expect(await recordOf(host)).to.deep.equal(before)

    users.push(ann)
    await giveCode(await pendingBrowser(host), code).expect(200)
  })

  it('is not signed in where the host’s user store answers with somebody else', async () => {
    // An id that was given away again between the two steps.
    let heir = false
    const { host, browser, enrolment } = await enrolledVisit({
      options: { describe: (user) => ({ id: heir ? 'heir' : user.id }) },
    })
    await passFirstStep(browser, ann).expect(200)
    heir = true
    const before = await recordOf(host)
    expectProblem(await giveCode(browser, enrolment.code()), 'sign-in-again', 401)
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('loses no backup code where the host’s user store fails: 503, and it works later', async () => {
    let failing = false
    const { host, browser, enrolment } = await pendingVisit({
      beforeGuard: ({ passport }) => {
        passport.deserializeUser((_id, done) => {
          if (failing) done(new Error('the database is away'))
          else done('pass')
        })
        // Passport asks the deserialisers in order; this one has to come first.
        const { _deserializers: all } = passport as unknown as { _deserializers: unknown[] }
        all.unshift(all.pop())
      },
    })
    failing = true
    const before = await recordOf(host)
    const [backup] = enrolment.backupCodes
    expectProblem(await giveCode(browser, backup), 'unavailable', 503)
    expect(await recordOf(host)).to.deep.equal(before)
    failing = false
    await giveCode(browser, backup).expect(200)
  })
})
