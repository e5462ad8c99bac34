// An admin sees a user's devices and removes a lost one. The attacks: whoever found the lost one goes on signing
// in; an admin removes their own, or that of a user whom they may not administer; the key comes out with the list.

import { expect } from 'chai'
import { withCodes } from '../../../lib/domain/authenticators.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn } from '../../support/actions.js'
import { ADMIN, adminVisit, refusalsIn, seenBy } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, signIn } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { oathtool } from '../../support/oathtool.js'
import { keyWith } from '../../support/records.js'
import { pendingBrowser, recordOf, setPolicy } from '../../support/visits.js'

const ANN = `${ADMIN}/users/ann`
const there = (id: string) => `${ANN}/authenticators/${id}/remove`
const FOB = { type: 'hotp', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', serial: 'A-1' }

interface Shown {
  readonly id: string
  readonly name: string | null
  readonly serial: string | null
}

/** Ada with a fresh code; Ann has an app and a second one of this name, and is signed in. */
async function annWithSpare(...given: Parameters<typeof adminVisit>) {
  const visit = await adminVisit(...given)
  const { host } = visit
  const app = await enrol(host, ann)
  const session = browserOf(host)
  await signIn(session, ann, app)
  host.system.advance(30 * SECOND)
  const shown = await postJson(session, '/second-step/authenticators', { code: app.code() })
  const spare = virtualAuthenticator(shown.body.uri)
  const code = spare.code(host.system.now())
  await postJson(session, '/second-step/setup', { code, name: 'Lost <b>phone</b>' }).expect(200)
  host.system.advance(30 * SECOND)
  const { authenticators } = await recordOf(host)
  const [first = '', second = ''] = authenticators.map(({ id }) => id)
  return { ...visit, app, session, first, second, spareCode: () => spare.code(host.system.now()) }
}

describe('An admin', () => {
  // The page showed nothing of it, and the owner read that the suspended key "keeps working".
  it('sees which key is suspended, and its owner which devices go on', async () => {
    const given = { origin: 'https://acme.example', webauthn: {} }
    const { host, browser, session, first, second } = await annWithSpare(given)
    const record = await recordOf(host)
    const suspended = keyWith({ suspendedAt: host.system.now(), since: host.system.now() })
    const written = (authenticators: typeof record.authenticators, version: number) =>
      host.store.write({ ...record, authenticators, version, writeId: `w${version}` }, version - 1)
    const others = (id: string, page: string) =>
      page.split(`/authenticators/${id}/remove"`)[0]?.split('no longer signs you in').at(-1) ?? ''
    const works = /Your other devices and your backup codes keep working/

    await written([...record.authenticators, suspended], record.version + 1)
    expect((await getPage(browser, ANN)).text).to.include('<strong>Suspended: a copy')
    const { text } = await getPage(session, '/second-step/').expect(200)
    for (const id of [first, second, 'key']) expect(others(id, text)).to.match(works)

    const [app] = record.authenticators
    if (app === undefined) throw new Error('there is no app')
    await written([app, suspended], record.version + 2)
    const page = await getPage(session, '/second-step/').expect(200)
    expect(others('key', page.text)).to.match(works)
    expect(others(first, page.text)).to.include('Your backup codes keep working')
    expect(page.text.split(works)).to.have.length(2)
  })

  it('sees the devices of a user: kinds, names and serial numbers, and nothing of their keys', async () => {
    const { host, browser } = await annWithSpare()
    await postJson(browser, `${ANN}/token`, FOB).expect(200)
    const { body } = await getJson(browser, ANN).expect(200)
    const listed: readonly Shown[] = body.authenticators
    expect(listed.map(({ name, serial }) => [name, serial])).to.deep.equal([
      [null, null],
      ['Lost <b>phone</b>', null],
      [null, 'A-1'],
    ])
    for (const one of listed) {
      expect(one).to.have.all.keys('id', 'type', 'name', 'since', 'lastUsedAt', 'serial', 'synced')
    }
    const page = await getPage(browser, ANN).expect(200)
    expect(page.text).to.include('Lost &lt;b&gt;phone').and.include('A-1')
    for (const { secret } of withCodes(await recordOf(host))) {
      expect(page.text + JSON.stringify(body)).to.not.include(secret)
    }
  })

  it('sees which codes each makes, to tell one token from another on the phone', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${ANN}/token`, FOB).expect(200)
    const clock = { ...{ type: 'totp', digits: 8, period: 60 }, algorithm: 'SHA-256' }
    const other = { ...clock, secret: '01'.repeat(32), serial: 'T-1' }
    await postJson(browser, `${ANN}/token`, other).expect(200)
    const { text } = await getPage(browser, ANN).expect(200)
    expect(text).to.include('TOTP, SHA-1, 6 digits, 30 seconds')
    expect(text).to.include('HOTP, SHA-1, 6 digits<')
    expect(text).to.include('TOTP, SHA-256, 8 digits, 60 seconds')
  })

  // Two key fobs more, and the user's first slip locks all for a day, which nobody has told the admin.
  it('is warned where one more token leaves few wrong codes a day', async () => {
    const { browser } = await adminVisit()
    const page = async () => (await getPage(browser, ANN).expect(200)).text
    expect(await page()).to.not.match(/wrong codes? within/)
    await postJson(browser, `${ANN}/token`, FOB).expect(200)
    const before = await page()
    expect(before).to.include('With one more token that counts its codes, 2 wrong codes')
    expect(before).to.not.include('all these devices')
    const second = { ...FOB, serial: 'A-2', secret: '01'.repeat(20) }
    await postJson(browser, `${ANN}/token`, second).expect(200)
    const after = await page()
    expect(after).to.include('2 wrong codes within 24 hours lock the codes of all these devices')
    expect(after).to.include(
      'a single wrong code within 24 hours locks the codes of all devices of this user',
    )
  })

  it('warns users too, in the settings, before they add one', async () => {
    const { browser, host } = await annWithSpare({ authenticators: ['totp', 'hotp'] })
    expect((await getPage(browser, ANN)).text).to.not.match(/wrong codes? within/)
    await postJson(browser, `${ANN}/token`, FOB).expect(200)
    const login = await pendingBrowser(host)
    const code = await oathtool('--hotp', '--counter=0', '--base32', FOB.secret)
    await giveCode(login, code).expect(200)
    const { text } = await getPage(login, '/second-step/').expect(200)
    expect(text).to.include('With one more device, 2 wrong codes within 24 hours can lock')
  })

  it('removes a lost one: it signs in no more, sessions end, and the others work on', async () => {
    const { host, browser, app, session, second, spareCode } = await annWithSpare()
    const answer = await postJson(browser, there(second), { reason: 'lost' }).expect(200)
    expect(answer.body).to.deep.equal({ state: 'on' })
    expect(await isIn(session)).to.equal(false)
    expectProblem(await giveCode(await pendingBrowser(host), spareCode()), 'wrong-code', 401)
    await giveCode(await pendingBrowser(host), app.code()).expect(200)
    const { events } = await seenBy(browser, 'ann')
    const removed = events.find(({ type }: { type: string }) => type === 'authenticator-removed')
    expect(removed).to.deep.include({
      detail: { name: 'Lost <b>phone</b>', serial: null },
      reason: 'lost',
    })
    expect(removed.actor.kind).to.equal('admin')
  })

  it('turns the second step off with the last one, where the policy lets the user do without', async () => {
    const { host, browser, first, second } = await annWithSpare()
    await postJson(browser, there(second)).expect(200)
    await setPolicy(host, { mode: 'required' })
    expectProblem(await postJson(browser, there(first)), 'required-by-policy', 409)
    expect((await refusalsIn(host))[0]).to.deep.include({ code: 'required-by-policy' })
    await setPolicy(host, { mode: 'optional' })
    const off = await postJson(browser, there(first)).expect(200)
    expect(off.body).to.deep.equal({ state: 'off' })
    expect((await recordOf(host)).authenticators).to.deep.equal([])
  })

  it('removes nothing that is not there, and nothing of their own', async () => {
    const { host, browser, first } = await annWithSpare()
    for (const id of ['gone', '__proto__', '..%2f..']) {
      expectProblem(await postJson(browser, there(id)), 'not-found', 404)
    }
    const { text } = await getPage(browser, `${ADMIN}/events?user=ann`).expect(200)
    expect(text).to.include('remove a device').and.not.include('There is no such user')
    const [own] = (await recordOf(host, 'ada')).authenticators
    const path = `${ADMIN}/users/ada/authenticators/${own?.id}/remove`
    expectProblem(await postJson(browser, path), 'forbidden', 403)
    expect((await postJson(browserOf(host), there(first))).status).to.equal(401)
    expect((await recordOf(host)).authenticators).to.have.length(2)
  })

  it('removes none of a user whom they may not administer', async () => {
    const asked: string[] = []
    const canAdminister = (_admin: unknown, _user: unknown, action: string) => {
      asked.push(action)
      return action !== 'remove-authenticator'
    }
    const { host, browser, second } = await annWithSpare({ canAdminister })
    expectProblem(await postJson(browser, there(second)), 'forbidden', 403)
    expect(asked).to.include('remove-authenticator')
    expect((await recordOf(host)).authenticators).to.have.length(2)
    expect((await getPage(browser, ANN)).text).to.not.include('/authenticators/')
  })

  it('does it on the user’s page, without a script', async () => {
    const { browser, second } = await annWithSpare()
    expect((await getPage(browser, ANN)).text).to.include(`action="${there(second)}"`)
    const long = await postForm(browser, there(second), { reason: 'x'.repeat(501) }).expect(400)
    expect(long.text).to.include('<details class="action" open>')
    await postForm(browser, there(second), {}).expect(303).expect('location', ANN)
    expect((await getPage(browser, ANN)).text).to.include('The device was removed')
    await getPage(browser, there(second)).expect(303).expect('location', ANN)
  })
})
