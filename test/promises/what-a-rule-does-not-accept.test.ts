// A phisher has the password, and gets the user to give away whatever can be typed: codes of other devices,
// backup codes, one-time codes of an admin, links of mails. Or takes these one after the other, to bind a device that
// the rule accepts.

import { expect } from 'chai'
import type { FactorMethod } from '../../lib/index.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { isIn } from '../support/actions.js'
import { ADMIN, adminAt, listOf, otherAdmin, PEOPLE, putJson } from '../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../support/answers.js'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../support/browser.js'
import { SECOND } from '../support/clock.js'
import { type HostParts, makeHost } from '../support/host.js'
import { ORIGIN } from '../support/keys.js'
import { hasLink, linkIn, lostHost } from '../support/lost.js'
import { park } from '../support/parked.js'
import { cookieOf } from '../support/sessions.js'
import { pendingBrowser, recordOf, setPolicy } from '../support/visits.js'

const ANN = `${ADMIN}/users/ann`
const SETUP = '/second-step/setup'
const BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const FOB = { type: 'hotp', secret: BASE32, serial: 'A-1', counter: 0 }

/** Ann has an app, backup codes and a fob. Ada administers. */
async function richVisit(
  mountRoutes?: (parts: HostParts) => void,
  authenticators: readonly ('totp' | 'hotp' | 'webauthn')[] = ['totp', 'hotp'],
) {
  const { options, mails, idle } = lostHost(
    {
      roles: ['user', 'admin'],
      authenticators,
      webauthn: { rpId: 'acme.example', origins: [ORIGIN] },
    },
    PEOPLE,
  )
  const users = { findById: async (id: string) => PEOPLE.find((one) => one.id === id) ?? null }
  const host = makeHost({
    ...options,
    options: { ...options.options, users: { ...users, list: listOf(PEOPLE) } },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
    routes: ({ app, passport, secondStep }) => {
      passport.use(secondStep.strategy())
      mountRoutes?.({ app, passport, secondStep })
      app.post('/own', passport.authenticate('second-step'), (_req, res) => res.json({}))
    },
  })
  const [ann] = PEOPLE.filter(({ id }) => id === 'ann')
  if (ann === undefined) throw new Error('there is Ann')
  const app = await enrol(host, ann)
  const { browser: admin } = await adminAt(host)
  await postJson(admin, `${ANN}/token`, FOB).expect(200)
  const fob = virtualAuthenticator(`otpauth://hotp/Acme:fob?secret=${BASE32}&counter=0`)
  const accept = (...methods: readonly FactorMethod[]) =>
    setPolicy(host, { accepts: { user: methods }, updatedAt: host.system.now() })
  return { host, ann, app, fob, admin, mails, idle, accept }
}

async function expectsOther(
  answer: PromiseLike<{ body: object; status: number }>,
  accepts: readonly FactorMethod[],
): Promise<void> {
  const given = await answer
  expect(given.status).to.equal(403)
  expect(given.body).to.deep.include({ code: 'stronger-factor-required', accepts })
}

const events = async (admin: Browser) =>
  (await getJson(admin, `${ADMIN}/events?user=ann`).expect(200)).body.events as {
    type: string
  }[]

describe('What a rule does not accept opens nothing', () => {
  it('at the challenge: other codes cost nothing, change nothing and leave no trace', async () => {
    const { host, app, fob, admin, accept } = await richVisit()
    await accept('totp')
    const browser = await pendingBrowser(host)
    const [before, told] = [await recordOf(host), await events(admin)]
    const { triesLeft } = (await getJson(browser, '/second-step/challenge')).body
    for (const code of app.backupCodes) await expectsOther(giveCode(browser, code), ['totp'])
    const page = await postForm(browser, '/second-step/challenge', { code: app.backupCodes[0] })
    expect(page.status).to.equal(403)
    expect(page.text).to.contain('This needs a code from an authenticator app')
    expect(await recordOf(host)).to.deep.equal(before)
    expect(await events(admin)).to.deep.equal(told)
    const asked = (await getJson(browser, '/second-step/challenge').expect(200)).body
    expect(asked).to.deep.include({ methods: ['totp'], lostOffered: false, triesLeft })
    // Its shape is that of the app's code, and only the app is asked: a guess at it, and a miss.
    expectProblem(await giveCode(browser, fob.next()), 'wrong-code', 401)
    expect(await isIn(browser)).to.equal(false)
    await giveCode(browser, app.code()).expect(200)
    expect(await isIn(browser)).to.equal(true)
  })

  it("at the host's own page, and by two codes of a device that is out of step", async () => {
    const { host, app, fob, accept } = await richVisit()
    await accept('totp')
    const browser = await pendingBrowser(host)
    const own = await postJson(browser, '/own', { code: app.backupCodes[0] })
    expect(own.status).to.equal(403)
    const pair = { code: fob.next(), nextCode: fob.next() }
    await expectsOther(postJson(browser, '/second-step/resync', pair), ['totp'])
    expect(await isIn(browser)).to.equal(false)
  })

  it('in a session: no other code makes it fresh, or changes what the user has', async () => {
    const { host, ann, app, accept } = await richVisit()
    const browser = browserOf(host)
    await signIn(browser, ann, app)
    await accept('totp')
    const { id = '' } = (await recordOf(host)).authenticators[0] ?? {}
    const before = await recordOf(host)
    const paths = ['fresh', 'change-key', 'show-key', 'reset', 'disable', 'authenticators']
    for (const path of [...paths, `authenticators/${id}/remove`]) {
      const body = { code: app.backupCodes[1], id }
      await expectsOther(postJson(browser, `/second-step/${path}`, body), ['totp'])
    }
    expect(await recordOf(host)).to.deep.equal(before)
    host.system.advance(30 * SECOND)
    const made = await postJson(browser, '/second-step/backup-codes', { code: app.code() })
    await expectsOther(Promise.resolve(made), ['totp'])
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text).to.contain('For your account, only a code from an authenticator app')
    expect(settings.text).not.to.contain('action="/second-step/backup-codes"')
  })

  it('nor can what it does not accept be set up', async () => {
    const { host, ann, app, accept } = await richVisit()
    const browser = browserOf(host)
    await signIn(browser, ann, app)
    await accept('totp')
    host.system.advance(30 * SECOND)
    const add = { code: app.code(), type: 'hotp' }
    await expectsOther(postJson(browser, '/second-step/authenticators', add), ['totp'])
    const { id } = (await recordOf(host)).authenticators[0] ?? {}
    await expectsOther(postJson(browser, '/second-step/change-key', { ...add, id }), ['totp'])
    expect((await recordOf(host)).setup).to.equal(null)
  })

  it('nor confirmed, where the rule has come since its key was shown', async () => {
    const { host, ann, app, accept } = await richVisit()
    const browser = browserOf(host)
    await signIn(browser, ann, app)
    host.system.advance(30 * SECOND)
    const add = { code: app.code(), type: 'hotp' }
    const { body } = await postJson(browser, '/second-step/authenticators', add).expect(200)
    await accept('totp')
    const code = virtualAuthenticator(body.uri).next()
    await expectsOther(postJson(browser, SETUP, { code }), ['totp'])
    expect((await recordOf(host)).authenticators).to.have.length(2)
  })

  it('nor confirmed, where a code that the rule has refused since has begun it', async () => {
    const { host, app, fob, accept } = await richVisit()
    const browser = await pendingBrowser(host)
    await giveCode(browser, fob.next()).expect(200)
    const add = { code: app.backupCodes[0], type: 'hotp' }
    const { body } = await postJson(browser, '/second-step/authenticators', add).expect(200)
    await accept('hotp')
    expect(await isIn(browser)).to.equal(true)
    const code = virtualAuthenticator(body.uri).next()
    expectProblem(await postJson(browser, SETUP, { code }), 'already-enrolled', 409)
    expectProblem(await getJson(browser, SETUP), 'already-enrolled', 409)
    expect((await recordOf(host)).authenticators).to.have.length(2)
    host.system.advance(SECOND)
    const byFob = { code: fob.next(), type: 'hotp' }
    const again = await postJson(browser, '/second-step/authenticators', byFob).expect(200)
    const proof = { code: virtualAuthenticator(again.body.uri).next() }
    await postJson(browser, SETUP, proof).expect(200)
  })

  it('nor by a login that a one-time code has led to the set-up', async () => {
    const { host, admin, accept } = await richVisit()
    const { code } = (await postJson(admin, `${ANN}/one-time-code`).expect(200)).body
    const browser = await pendingBrowser(host)
    await giveCode(browser, code).expect(200)
    const shown = await getJson(browser, `${SETUP}?type=totp`).expect(200)
    await accept('totp')
    const proof = { code: virtualAuthenticator(shown.body.secret).code(host.system.now()) }
    expectProblem(await postJson(browser, SETUP, proof), 'code-required', 401)
    expectProblem(await getJson(browser, SETUP), 'code-required', 401)
    expect((await recordOf(host)).authenticators).to.have.length(2)
  })

  it('by mail: no link is sent, and one that was sent before the rule changes nothing', async () => {
    const { host, ann, mails, idle, accept } = await richVisit()
    const browser = browserOf(host)
    const cookie = cookieOf(await passFirstStep(browser, ann))
    await postJson(browser, '/second-step/lost', { email: 'ann@acme.example' }).expect(202)
    await idle(host)
    const link = linkIn(mails.filter(hasLink).at(-1) ?? { text: '' })
    const pressed = await park(host, link, { cookie, like: { a: 1 } })
    await accept('totp')
    const before = await recordOf(host)
    expect((await pressed.finish({ a: 1 })).body.code).to.equal('switched-off')
    expectProblem(await postJson(browser, link), 'switched-off', 409)
    expectProblem(await getJson(browser, '/second-step/lost'), 'switched-off', 409)
    const again = await postJson(browser, '/second-step/lost', { email: 'ann@acme.example' })
    expectProblem(again, 'switched-off', 409)
    const page = await getPage(browser, '/second-step/challenge').expect(200)
    expect(page.text).not.to.contain('/second-step/lost"')
    expect((await recordOf(host)).authenticators).to.deep.equal(before.authenticators)
  })

  it('by an admin: no code for one login, no backup codes, and none that was made before', async () => {
    const { host, admin, accept } = await richVisit()
    const { code } = (await postJson(admin, `${ANN}/one-time-code`).expect(200)).body
    await accept('totp')
    await expectsOther(giveCode(await pendingBrowser(host), code), ['totp'])
    for (const action of ['one-time-code', 'backup-codes']) {
      const refused = await postJson(admin, `${ANN}/${action}`)
      await expectsOther(Promise.resolve(refused), ['totp'])
      expect(refused.body.next).to.equal(ANN)
    }
    const page = await getPage(admin, ANN).expect(200)
    expect(page.text).not.to.contain(`action="${ANN}/one-time-code"`)
    expect(page.text).not.to.contain(`action="${ANN}/backup-codes"`)
  })

  it('by a session of before the rule: it is asked anew, and its backup code is no answer', async () => {
    const { host, app, accept } = await richVisit()
    const browser = await pendingBrowser(host)
    await giveCode(browser, app.backupCodes[0]).expect(200)
    expect(await isIn(browser)).to.equal(true)
    await accept('totp')
    expect(await isIn(browser)).to.equal(false)
    await expectsOther(giveCode(browser, app.backupCodes[1]), ['totp'])
    host.system.advance(30 * SECOND)
    await giveCode(browser, app.code()).expect(200)
    expect(await isIn(browser)).to.equal(true)
  })

  it('unless the user has nothing better: then it leads to the set-up of that, and no further', async () => {
    const { host, ann, app, admin, accept } = await richVisit()
    const { id } = (await recordOf(host)).authenticators[1] ?? {}
    await postJson(admin, `${ANN}/authenticators/${id}/remove`).expect(200)
    const old = browserOf(host)
    await signIn(old, ann, app)
    await accept('hotp')
    expect(await isIn(old)).to.equal(false)
    host.system.advance(30 * SECOND)
    const browser = await pendingBrowser(host)
    const page = await getPage(browser, '/second-step/challenge').expect(200)
    expect(page.text).to.contain('Your account needs something else from now on')
    const led = await giveCode(browser, app.code()).expect(200)
    expect(led.body).to.deep.equal({ status: 'setup-required', next: SETUP })
    expect(await isIn(browser)).to.equal(false)
    // No other login is led there by it.
    expectProblem(await getJson(old, SETUP), 'code-required', 401)
    await expectsOther(getJson(browser, `${SETUP}?type=totp`), ['hotp'])
    const { body } = await getJson(browser, SETUP).expect(200)
    expect(body.type).to.equal('hotp')
    const fob = virtualAuthenticator(body.uri)
    const enrolled = await postJson(browser, SETUP, { code: fob.next() }).expect(200)
    expect(enrolled.body.backupCodes).to.deep.equal([])
    expect(await isIn(browser)).to.equal(true)
    const { authenticators, backupCodes } = await recordOf(host)
    expect(authenticators.map(({ type }) => type)).to.deep.equal(['hotp'])
    expect(backupCodes).to.equal(null)
    const types = (await events(admin)).map(({ type }) => type)
    expect(types).to.include.members(['code-accepted', 'key-changed'])
  })

  it('and several roles accept what all of them do', async () => {
    const both = PEOPLE.map((one) =>
      one.id === 'ann' ? { ...one, roles: ['user', 'staff'] } : one,
    )
    const { options } = lostHost({ roles: ['user', 'staff'] }, both)
    const host = makeHost(options)
    const [ann] = both.filter(({ id }) => id === 'ann')
    if (ann === undefined) throw new Error('there is Ann')
    const { backupCodes } = await enrol(host, ann)
    await setPolicy(host, { accepts: { user: ['totp', 'backup-code'], staff: ['totp'] } })
    await expectsOther(giveCode(await pendingBrowser(host, ann), backupCodes[0]), ['totp'])
    await setPolicy(host, { accepts: { user: ['backup-code'], staff: ['totp'] } })
    await expectsOther(giveCode(await pendingBrowser(host, ann), backupCodes[0]), [])
  })

  it('and no admin makes a rule that shuts everybody out, or themselves', async () => {
    const { host, admin } = await richVisit()
    const before = await host.store.findPolicy()
    const own = { accepts: { admin: ['hotp'], user: ['hotp'] } }
    await expectsOther(putJson(admin, `${ADMIN}/policy`, own), ['hotp'])
    for (const accepts of [{ user: ['backup-code'] }, { user: ['totp'], admin: ['hotp'] }]) {
      const refused = await putJson(admin, `${ADMIN}/policy`, { accepts })
      expectProblem(refused, 'malformed-request', 400)
      expect(refused.body.field).to.equal('accepts')
    }
    expect(await host.store.findPolicy()).to.deep.equal(before)
    await putJson(admin, `${ADMIN}/policy`, { accepts: { admin: ['totp'] } }).expect(200)
    expect(await isIn(admin)).to.equal(true)
  })
})

describe('What a rule does not accept lifts no rule', () => {
  // A phisher relays the code of an admin, to have the accounts of another role take codes again.
  it('of another role: the admin gives what it accepts, or the operator changes it', async () => {
    const { host, admin, accept } = await richVisit()
    await accept('hotp')
    const before = await host.store.findPolicy()
    const policy = `${ADMIN}/policy`
    for (const edit of [{ accepts: {} }, { mode: 'off' }, { roles: { user: 'off' } }]) {
      const refused = await putJson(admin, policy, edit)
      await expectsOther(Promise.resolve(refused), ['hotp'])
      expect(refused.body.next).to.equal('/second-step/')
    }
    // Whose only device would no longer count is led to a set-up, by whatever they have.
    for (const edit of [
      { accepts: { user: ['totp'] } },
      { accepts: { user: ['hotp'], admin: ['totp'] } },
    ]) {
      await expectsOther(putJson(admin, policy, edit), ['hotp'])
    }
    expect(await host.store.findPolicy()).to.deep.equal(before)
    await putJson(admin, policy, { mode: 'required' }).expect(200)

    await accept('totp')
    const { browser: other, enrolment } = await adminAt(host, otherAdmin)
    const fresh = '/second-step/fresh'
    await postJson(other, fresh, { code: enrolment.backupCodes[0] }).expect(200)
    const again = await putJson(other, policy, { accepts: {} })
    await expectsOther(Promise.resolve(again), ['totp'])
    expect(again.body.next).to.equal(fresh)
    const { body } = await postJson(other, fresh, { code: enrolment.code() }).expect(200)
    expect(body.next).to.equal(policy)
    await putJson(other, policy, { accepts: {} }).expect(200)
  })
})

const apps = ({ app, secondStep }: HostParts) => {
  const ofApps = secondStep.requireFresh({ accepts: ['totp'] })
  app.post('/vault', ofApps, (_req, res) => res.json({ status: 'open' }))
}

describe('What a route does not accept opens nothing there', () => {
  // Two backup codes once opened a route of app codes: the first signs in and shows the app's key, binds another app, or
  // makes the user one without any.
  it('nor does it show, bind or remove what the route accepts', async () => {
    const { host, app, fob, mails, idle } = await richVisit(apps)
    const browser = await pendingBrowser(host)
    await giveCode(browser, app.backupCodes[0]).expect(200)
    await expectsOther(postJson(browser, '/vault'), ['totp'])
    const [first, second] = (await recordOf(host)).authenticators
    const before = await recordOf(host)
    const closed = [
      ['show-key', { id: first?.id }],
      ['change-key', { id: first?.id }],
      ['change-key', { id: second?.id, type: 'totp' }],
      ['authenticators', { type: 'totp' }],
      [`authenticators/${first?.id}/remove`, {}],
      ['reset', {}],
      ['disable', {}],
    ] as const
    for (const [path, body] of closed) {
      const answer = await postJson(browser, `/second-step/${path}`, {
        ...body,
        code: app.backupCodes[1],
      })
      const { status, body: problem } = answer
      const refused = [path, 403, 'stronger-factor-required', ['totp']]
      expect([path, status, problem.code, problem.accepts]).to.deep.equal(refused)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    // What the route does not accept may be had by what it does not accept.
    const added = { type: 'hotp', code: fob.next() }
    await postJson(browser, '/second-step/authenticators', added).expect(200)
    const asking = await pendingBrowser(host)
    const asked = await postJson(asking, '/second-step/lost', { email: 'ann@acme.example' })
    expectProblem(asked, 'switched-off', 409)
    await idle(host)
    expect(mails.filter(hasLink)).to.deep.equal([])
    await expectsOther(postJson(browser, '/vault'), ['totp'])
  })

  it('nor does an admin’s one-time code', async () => {
    const { host, admin } = await richVisit()
    const { code } = (await postJson(admin, `${ANN}/one-time-code`).expect(200)).body
    const browser = await pendingBrowser(host)
    const challenge = async () => (await getPage(browser, '/second-step/challenge')).text
    expect(await challenge()).to.include('the code you were given')
    // A rule that came with a new version of the app.
    host.secondStep.requireFresh({ accepts: ['totp'] })
    // No page asks for it: typed, it would cost a try.
    expect(await challenge()).to.not.include('the code you were given')
    expectProblem(await giveCode(browser, code), 'wrong-code', 401)
    expectProblem(await getJson(browser, SETUP), 'code-required', 401)
    const again = await postJson(admin, `${ANN}/one-time-code`)
    await expectsOther(Promise.resolve(again), ['totp'])
    expect(again.body.next).to.equal(ANN)
    const page = await getPage(admin, ANN).expect(200)
    expect(page.text).not.to.contain(`action="${ANN}/one-time-code"`)
  })

  it('and what it accepts does all that', async () => {
    const { host, ann, app } = await richVisit(apps)
    const browser = browserOf(host)
    await signIn(browser, ann, app)
    await postJson(browser, '/vault').expect(200)
    const { id } = (await recordOf(host)).authenticators[0] ?? {}
    host.system.advance(30 * SECOND)
    await postJson(browser, '/second-step/show-key', { id, code: app.code() }).expect(200)
    host.system.advance(30 * SECOND)
    await postJson(browser, '/second-step/disable', { code: app.code() }).expect(200)
  })

  it('and who has nothing of it binds the first by what they have', async () => {
    const vault = ({ app: routes, secondStep }: HostParts) => {
      const ofKeys = secondStep.requireFresh({ accepts: ['webauthn'] })
      routes.post('/vault', ofKeys, (_req, res) => res.json({ status: 'open' }))
    }
    const { host, ann, app } = await richVisit(vault, ['totp', 'hotp', 'webauthn'])
    const browser = browserOf(host)
    await signIn(browser, ann, app)
    const refused = await postJson(browser, '/vault')
    await expectsOther(Promise.resolve(refused), ['webauthn'])
    expect(refused.body.next).to.equal('/second-step/')
    const { id } = (await recordOf(host)).authenticators[0] ?? {}
    const show = { id, code: app.backupCodes[0] }
    await postJson(browser, '/second-step/show-key', show).expect(200)
  })

  it('and who has it for each of two routes, and not for both, is led by one of them to what a role accepts', async () => {
    const { host, app, accept } = await richVisit(({ app: routes, secondStep }) => {
      for (const own of ['totp', 'hotp'] as const) {
        const rule = secondStep.requireFresh({ accepts: ['webauthn', own] })
        routes.post(`/vault/${own}`, rule, (_req, res) => res.json({ status: 'open' }))
      }
    })
    await accept('webauthn')
    const browser = await pendingBrowser(host)
    const accepts = ['totp', 'hotp', 'webauthn'] as const
    await expectsOther(giveCode(browser, app.backupCodes[0]), accepts)
    const led = await giveCode(browser, app.code()).expect(200)
    expect(led.body).to.deep.equal({ status: 'setup-required', next: SETUP })
  })
})
