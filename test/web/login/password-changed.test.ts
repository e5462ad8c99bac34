// The attack: somebody has a session of the user's, stolen or begun with a password that they have
// learned. The user notices and changes the password: the thief must be out, and the user stay in.

import { expect } from 'chai'
import type { Request } from 'express'
import { errors, type SecondStep } from '../../../lib/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep, signIn } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, editSession, sessionsOf, useCookie } from '../../support/sessions.js'
import { recordOf, setPolicy, signedInVisit } from '../../support/visits.js'

/** A page that changes one's own password, and an admin's that changes anybody's. */
const routes: HostOptions['routes'] = ({ app, secondStep }) => {
  const change =
    (userId: (req: Request) => string) =>
    async (...[req, res]: Parameters<Parameters<typeof app.post>[1]>) => {
      await secondStep.passwordChanged(userId(req), { except: req })
      Reflect.set(req.session, 'note', 'changed')
      res.json({ status: req.secondStep?.status })
    }
  app.post(
    '/password',
    change((req) => (req.user as HostUser).id),
  )
  app.post(
    '/password-of/:id',
    change(({ params }) => String(params.id)),
  )
  app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({ status: 'done' }))
}

async function isIn(browser: Browser): Promise<boolean> {
  return (await getJson(browser, '/inside')).status === 200
}

/** Signs Ann in by both steps, in a browser more. */
async function another(host: Host, enrolment: Parameters<typeof signIn>[2]): Promise<Browser> {
  const browser = browserOf(host)
  host.system.advance(MINUTE)
  await signIn(browser, ann, enrolment)
  return browser
}

describe('passwordChanged()', () => {
  it('ends every session of the user’s, also one that has passed both steps', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const thief = await another(host, enrolment)
    await host.secondStep.passwordChanged('ann')
    expect([await isIn(browser), await isIn(thief)]).to.deep.equal([false, false])
    expect(await isIn(await another(host, enrolment))).to.equal(true)
  })

  it('ends the sessions of a user without a second step, so that none of them sets one up', async () => {
    const host = makeHost({ routes })
    const [owner, thief] = [browserOf(host), browserOf(host)]
    await passFirstStep(owner, ann)
    await passFirstStep(thief, ann)
    await postJson(owner, '/password').expect(200)
    await setPolicy(host, { mode: 'required', graceDays: 0 })
    expectProblem(await getJson(thief, '/second-step/setup'), 'not-signed-in', 401)
    await getJson(owner, '/second-step/setup').expect(200)
  })

  it('leaves in the session that is named, under a new id, as fresh as it was and no fresher', async () => {
    const { host, browser, enrolment } = await signedInVisit({ routes })
    const thief = await another(host, enrolment)
    const owner = await another(host, enrolment)
    const stampOf = () => sessionsOf(host).map(({ secondStep }) => secondStep?.verified)
    const before = stampOf().find((stamp) => stamp?.at === host.system.now())
    host.system.advance(4 * MINUTE)
    const answer = await postJson(owner, '/password').expect(200)
    expect(answer.body).to.deep.equal({ status: 'verified' })
    expect([await isIn(browser), await isIn(thief)], 'others').to.deep.equal([false, false])
    expect(await isIn(owner)).to.equal(true)

    const { epoch } = await recordOf(host)
    const after = stampOf().find((stamp) => stamp?.epoch === epoch)
    expect(after).to.deep.include({ userId: 'ann', method: 'totp', at: before?.at })
    expect(after?.id).not.to.equal(before?.id)
    expect(sessionsOf(host).filter((session) => 'note' in session)).to.have.length(1)
    await postJson(owner, '/payout').expect(200)
    host.system.advance(MINUTE)
    expectProblem(
      await postJson(owner, '/payout'),
      'fresh-code-required',
      403,
      '/second-step/fresh',
    )
  })

  // Who set up because they had to, and changed the password in another tab before they had saved their codes, was not led
  // to the page that they had wanted.
  it('leaves the kept session what its pages know: where the user was going, and what was just done', async () => {
    const { host, browser } = await signedInVisit({ routes })
    const known = { next: '/account', notice: 'codes-saved' } as const
    editSession(host, (session) => {
      session.secondStep = { ...session.secondStep, ...known }
    })
    await postJson(browser, '/password').expect(200)
    const [session] = sessionsOf(host).filter((one) => 'note' in one)
    expect(session?.secondStep).to.deep.include(known)
    const { body } = await getJson(browser, '/second-step/challenge')
    expect(body.next).to.equal('/account')
  })

  it('gives the kept session a new id, so that a known old id is worthless', async () => {
    const { host, browser } = await signedInVisit({ routes })
    const first = await postJson(browser, '/password').expect(200)
    const stolen = cookieOf(first)
    const second = await postJson(browser, '/password').expect(200)
    expect(cookieOf(second)).not.to.equal(stolen)
    expect(await isIn(useCookie(browserOf(host), stolen))).to.equal(false)
    expect(await isIn(browser)).to.equal(true)
  })

  it('takes no notice of a session that is somebody else’s: an admin stays in, the user does not', async () => {
    const { host, browser } = await signedInVisit({ routes })
    const admin = browserOf(host)
    await enrol(host, bob, admin)
    await postJson(admin, '/password-of/ann').expect(200)
    expect([await isIn(browser), await isIn(admin)]).to.deep.equal([false, true])
  })

  it('does not bring back a session that was ended while its body was held back', async () => {
    const { host, browser, enrolment } = await signedInVisit({ routes })
    host.system.advance(MINUTE)
    const thief = browserOf(host)
    await passFirstStep(thief, ann)
    const cookie = cookieOf(
      await postJson(thief, '/second-step/challenge', { code: enrolment.code() }).expect(200),
    )
    const body = { password: 'chosen by the thief' }
    const parked = await park(host, '/password', { cookie, like: body })
    await host.secondStep.endSessions('ann')
    const answer = await parked.finish(body)
    for (const known of [cookie, answer.cookie]) {
      if (known !== null) expect(await isIn(useCookie(browserOf(host), known))).to.equal(false)
    }
    expect(await isIn(browser)).to.equal(false)
  })

  it('is as sure where the clock was ahead when it was called: the next login goes on', async () => {
    const { host, enrolment } = await signedInVisit()
    host.system.advance(60 * MINUTE)
    await host.secondStep.passwordChanged('ann')
    host.system.advance(-59 * MINUTE)
    expect(await isIn(await another(host, enrolment))).to.equal(true)
  })

  it('refuses an option that there is not, and a request that no guard has seen', async () => {
    const { secondStep } = makeHost()
    const wrong = async (options: unknown): Promise<unknown> => {
      const given = options as Parameters<SecondStep['passwordChanged']>[1]
      return secondStep.passwordChanged('ann', given).catch((error: unknown) => error)
    }
    const misspelt = await wrong({ exept: {} })
    expect(misspelt).to.be.instanceOf(errors.ConfigurationError)
    expect(String(misspelt)).to.include('did you mean except?')
    expect(String(await wrong({ except: { headers: {} } }))).to.include('guard() is missing')
  })
})
