// A phisher has the password of somebody who is bound to security keys, and everything that can be typed or copied: a
// code that the victim's app shows now, backup codes, a fob, an admin's one-time code, the mailbox, the cookie of a
// trusted browser, and the answer that the victim's key gives on the phisher's own page.

import { expect } from 'chai'
import type { FactorMethod } from '../../lib/index.js'
import { isIn } from '../support/actions.js'
import { ADMIN, putJson } from '../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../support/answers.js'
import { type Browser, giveCode, passFirstStep } from '../support/browser.js'
import { MINUTE } from '../support/clock.js'
import type { HostParts } from '../support/host.js'
import { answerWith, askedAt, CHALLENGE, FRESH, ORIGIN, SETUP } from '../support/keys.js'
import {
  byProvider,
  DEVICES,
  possessionsOf,
  RELAYED,
  type Rich,
  refusal,
  richVisit,
  TYPED,
} from '../support/rich-in-proofs.js'
import { softwareKey } from '../support/software-key.js'
import { pendingBrowser, recordOf, setPolicy } from '../support/visits.js'

/** Neither signed in, nor led to a set-up. */
async function expectNotIn(browser: Browser, what: string): Promise<void> {
  expect(await isIn(browser), what).to.equal(false)
  expectProblem(await getJson(browser, `${SETUP}?type=webauthn`), 'code-required', 401)
  expectProblem(await getJson(browser, '/second-step/'), 'code-required', 401)
}

function vaultOf(accepts: readonly FactorMethod[]) {
  return ({ app, secondStep }: HostParts): void => {
    app.post('/vault', secondStep.requireFresh({ accepts }), (_req, res) => res.json({}))
  }
}

/** What the settings do, and all of it asks for a proof. */
async function actionsOf({ host }: Rich) {
  const { authenticators } = await recordOf(host)
  const idOf = (type: string) => authenticators.find((one) => one.type === type)?.id
  const [app, key] = [idOf('totp'), idOf('webauthn')]
  return [
    ['change-key', { id: key }],
    ['change-key', { id: key, type: 'totp' }],
    ['change-key', { id: app, type: 'webauthn' }],
    ['authenticators', { type: 'webauthn' }],
    [`authenticators/${key}/remove`, {}],
    ['reset', {}],
    ['disable', {}],
  ] as const
}

/** What is of the user's own business in a session that a route rule leaves alone. */
const OWN_ACTIONS = [
  ['fresh', {}],
  ['backup-codes', {}],
] as const

describe('promise 9: who is bound to security keys by a role', () => {
  let visit: Rich
  before(async () => {
    visit = await richVisit()
    visit.become('keyholder')
  })

  it('is not signed in by anything that can be typed, and it costs nothing', async () => {
    const before = await recordOf(visit.host)
    const browser = await pendingBrowser(visit.host)
    for (const [name, proof] of Object.entries(TYPED)) {
      const given = { ...(await proof(visit, browser, CHALLENGE)), trust: '1' }
      const answer = await postJson(browser, CHALLENGE, given)
      expect(refusal(answer), name).to.equal('403 stronger-factor-required')
      expect((await postJson(browser, '/own', given)).status, name).to.equal(403)
      await expectNotIn(browser, name)
    }
    expect(await recordOf(visit.host)).to.deep.equal(before)
    const asked = (await getJson(browser, CHALLENGE).expect(200)).body
    expect(asked).to.deep.include({ methods: ['webauthn'], lostOffered: false })
    await answerWith(browser, visit.key)
    expect(await isIn(browser)).to.equal(true)
  })

  it('is not signed in by an answer that the key gave elsewhere', async () => {
    const before = await possessionsOf(visit)
    for (const [name, proof] of Object.entries(RELAYED)) {
      const browser = await pendingBrowser(visit.host)
      for (const path of [CHALLENGE, '/own']) {
        const answer = await postJson(browser, path, await proof(visit, browser, CHALLENGE))
        expect(answer.status, name).to.equal(401)
      }
      await expectNotIn(browser, name)
    }
    expect(await possessionsOf(visit)).to.deep.equal(before)
    const browser = await pendingBrowser(visit.host)
    const credential = visit.key.sign(await askedAt(browser))
    await postJson(browser, '/own', { credential }).expect(200)
    expect(await isIn(browser)).to.equal(true)
  })

  it('does nothing in a session without the key', async () => {
    const { host, key } = visit
    const browser = await pendingBrowser(host)
    await answerWith(browser, key)
    host.system.advance(6 * MINUTE)
    const before = await possessionsOf(visit)
    const [relay] = Object.entries(RELAYED)
    for (const [path, body] of [...OWN_ACTIONS, ...(await actionsOf(visit))]) {
      for (const [name, proof] of [...Object.entries(TYPED), ...(relay ? [relay] : [])]) {
        const given = { ...body, ...(await proof(visit, browser, FRESH)) }
        const answer = await postJson(browser, `/second-step/${path}`, given)
        expect(answer.status, `${path} by ${name}: ${answer.text}`).to.be.within(401, 403)
      }
    }
    expect(await possessionsOf(visit)).to.deep.equal(before)
    expectProblem(await postJson(browser, '/payout'), 'fresh-code-required', 403, FRESH)
    const credential = key.sign(await askedAt(browser, FRESH))
    await postJson(browser, FRESH, { credential }).expect(200)
    await postJson(browser, '/payout').expect(200)
  })

  it('is not signed in by a trusted browser, a provider, the mailbox or an older session', async () => {
    const { host, ann, trusted, nextCode, backupCodes, askForLink } = visit
    visit.become('user')
    // Each of them is a way in as long as nothing binds Ann.
    await passFirstStep(trusted, ann)
    expect(await isIn(trusted)).to.equal(true)
    await postJson(trusted, '/logout').expect(200)
    expect(await isIn(await byProvider(host))).to.equal(true)
    const older = await pendingBrowser(host)
    await giveCode(older, backupCodes[1]).expect(200)
    const added = await postJson(older, DEVICES, { code: nextCode(), type: 'webauthn' }).expect(200)
    const { asking, link } = await askForLink()

    visit.become('keyholder')
    const before = await possessionsOf(visit)
    await passFirstStep(trusted, ann)
    await expectNotIn(trusted, 'a trusted browser')
    await expectNotIn(await byProvider(host), 'a provider')
    expectProblem(await postJson(asking, link), 'switched-off', 409)
    await expectNotIn(asking, 'the mailbox')
    const again = await postJson(asking, '/second-step/lost', { email: 'ann@acme.example' })
    expectProblem(again, 'switched-off', 409)
    const credential = softwareKey({ origin: ORIGIN }).register(added.body.options)
    expectProblem(await postJson(older, SETUP, { credential }), 'code-required', 401)
    expect(await isIn(older)).to.equal(false)
    expect(await possessionsOf(visit)).to.deep.equal(before)
  })
})

describe('promise 9: an admin whose code was relayed', () => {
  it('opens no account that is bound to security keys', async () => {
    const visit = await richVisit()
    visit.become('keyholder')
    const { host, admin } = visit
    const before = await recordOf(host)
    const [first] = before.authenticators
    for (const path of ['reset', 'disable', 'pause', `authenticators/${first?.id}/remove`]) {
      const answer = await postJson(admin, `${ADMIN}/users/ann/${path}`, { days: 1 })
      expect([path, answer.status, answer.body.accepts, answer.body.next]).to.deep.equal([
        path,
        403,
        ['webauthn'],
        '/second-step/',
      ])
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await postJson(admin, `${ADMIN}/users/ann/end-sessions`).expect(200)
    visit.become('user')
    await postJson(admin, `${ADMIN}/users/ann/reset`).expect(200)
  })

  it('lifts neither of two rules that only together leave keys, to open an account after it', async () => {
    const visit = await richVisit()
    const { host, admin } = visit
    vaultOf(['webauthn', 'hotp'])(host)
    visit.become('keyholder')
    const rule = { keyholder: ['webauthn', 'totp'] }
    await setPolicy(host, { accepts: { keyholder: ['webauthn', 'totp'] } })
    for (const [path, body] of [
      ['users/ann/reset', {}],
      ['policy', { accepts: {} }],
      ['policy', { accepts: { ...rule, user: ['totp'] } }],
    ] as const) {
      const send = path === 'policy' ? putJson : postJson
      const answer = await send(admin, `${ADMIN}/${path}`, body)
      expect([path, answer.status, answer.body.accepts]).to.deep.equal([path, 403, ['webauthn']])
    }
    const { body } = await getJson(admin, `${ADMIN}/policy`).expect(200)
    expect(body.accepts).to.deep.equal(rule)
  })
})

async function expectShut(browser: Browser, what: string): Promise<void> {
  const answer = await postJson(browser, '/vault')
  expect(refusal(answer), what).to.equal('403 stronger-factor-required')
}

describe('promise 9: a route that accepts security keys alone', () => {
  let visit: Rich
  before(async () => {
    visit = await richVisit()
    vaultOf(['webauthn'])(visit.host)
  })

  it('is not opened by another proof, nor by a key that such a proof would bind', async () => {
    const { host } = visit
    const before = await possessionsOf(visit)
    const browser = await pendingBrowser(host)
    await giveCode(browser, visit.nextCode()).expect(200)
    for (const [path, body] of await actionsOf(visit)) {
      for (const [name, proof] of Object.entries(TYPED)) {
        const given = { ...body, ...(await proof(visit, browser, FRESH)) }
        const answer = await postJson(browser, `/second-step/${path}`, given)
        expect([401, 403], `${path} by ${name}: ${answer.text}`).to.include(answer.status)
      }
      await expectShut(browser, path)
    }
    expect(await possessionsOf(visit)).to.deep.equal(before)
  })

  it('is not opened by a key in place of the app that a proof of the app has begun to add', async () => {
    const { host, backupCodes, nextCode } = visit
    const browser = await pendingBrowser(host)
    await giveCode(browser, backupCodes[2]).expect(200)
    const [app] = (await recordOf(host)).authenticators
    for (const [path, body] of [
      ['authenticators', { type: 'totp' }],
      ['change-key', { id: app?.id }],
    ] as const) {
      await postJson(browser, `/second-step/${path}`, { ...body, code: nextCode() }).expect(200)
      const shown = await getJson(browser, `${SETUP}?type=webauthn`)
      expectProblem(shown, 'already-enrolled', 409)
      expect((await recordOf(host)).setup?.type).to.equal('totp')
      const page = await getPage(browser, SETUP).expect(200)
      expect(page.text).to.contain('type=hotp').and.not.contain('type=webauthn')
      await getJson(browser, `${SETUP}?type=hotp`).expect(200)
    }
    await expectShut(browser, 'a key that an app code binds')
  })

  it('is opened by the key, however Ann has signed in', async () => {
    const { host, ann, key, trusted, oneTimeCode } = visit
    const asking = await pendingBrowser(host)
    const asked = await postJson(asking, '/second-step/lost', { email: 'ann@acme.example' })
    expectProblem(asked, 'switched-off', 409)
    expectProblem(await giveCode(await pendingBrowser(host), oneTimeCode), 'wrong-code', 401)
    await passFirstStep(trusted, ann)
    for (const browser of [trusted, await byProvider(host)]) {
      expect(await isIn(browser)).to.equal(true)
      await expectShut(browser, 'what signs in')
      const credential = key.sign(await askedAt(browser, FRESH))
      await postJson(browser, FRESH, { credential }).expect(200)
      await postJson(browser, '/vault').expect(200)
    }
  })
})
