// A device that is out of step is brought back by two consecutive codes. The attacks: a pair is guessed, with a
// budget of its own or with answers that tell how near it was; a pair that was used opens another door.

import { expect } from 'chai'
import type { Mail } from '../../../lib/index.js'
import { isIn } from '../../support/actions.js'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostOptions } from '../../support/host.js'
import { oathtool } from '../../support/oathtool.js'
import { HOUR, MINUTE } from '../../support/records.js'
import { cookieOf } from '../../support/sessions.js'
import {
  enrolledVisit,
  pendingBrowser,
  pendingVisit,
  recordOf,
  signedInVisit,
} from '../../support/visits.js'

const RESYNC = '/second-step/resync'
const SEED = '3132333435363738393031323334353637383930'
const FOB = { type: 'hotp', secret: SEED, serial: 'A-1' }
const CLOCK = { type: 'totp', secret: SEED, serial: 'T-60', digits: 8, period: 60 }

const press = (counter: number) => oathtool('--hotp', `--counter=${counter}`, SEED)
const pair = async (counter: number) => ({
  code: await press(counter),
  nextCode: await press(counter + 1),
})

function clockCode(at: number): Promise<string> {
  const now = new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
  return oathtool('--totp', '--digits=8', '--time-step-size=60s', `--now=${now}`, SEED)
}
const clockPair = async (at: number) => ({
  code: await clockCode(at - MINUTE),
  nextCode: await clockCode(at),
})

/** Ann has a token; with `used`, its first code was given. */
async function withToken(
  body: object = FOB,
  used = true,
  options: Parameters<typeof adminVisit>[0] = {},
  given: HostOptions = {},
): Promise<{ host: Host; admin: Browser }> {
  const { host, browser: admin } = await adminVisit(options, given)
  await postJson(admin, `${ADMIN}/users/ann/token`, body).expect(200)
  if (used) await giveCode(await pendingBrowser(host), await press(0)).expect(200)
  return { host, admin }
}

describe('POST /resync', () => {
  it('signs a pending login in by two codes within a thousand, and moves the counter behind them', async () => {
    const { host } = await withToken()
    const login = await pendingBrowser(host)
    expectProblem(await giveCode(login, await press(900)), 'wrong-code', 401)
    const answer = await postJson(login, RESYNC, await pair(900)).expect(200)
    expect(answer.body).to.deep.equal({ status: 'resynchronised' })
    expect(await isIn(login)).to.equal(true)
    for (const counter of [899, 900, 901]) {
      const again = await giveCode(await pendingBrowser(host), await press(counter))
      expectProblem(again, 'wrong-code', 401)
    }
    await giveCode(await pendingBrowser(host), await press(902)).expect(200)
  })

  for (const off of [-1.9, -0.5, 0.4, 1.9]) {
    it(`finds a clock that is ${off} hours off, and no code counts twice (LinOTP #110)`, async () => {
      const { host } = await withToken(CLOCK, false)
      const theirs = () => host.system.now() + off * HOUR
      const now = await clockCode(host.system.now())
      await giveCode(await pendingBrowser(host), now).expect(200)
      const login = await pendingBrowser(host)
      const answer = await postJson(login, RESYNC, await clockPair(theirs()))
      if (off < 0) {
        // Its codes are from before the last accepted one.
        expectProblem(answer, 'wrong-code', 401)
        host.system.advance(-off * HOUR + 3 * MINUTE)
        await postJson(await pendingBrowser(host), RESYNC, await clockPair(theirs())).expect(200)
      } else expect(answer.status).to.equal(200)
      const used = await clockCode(theirs())
      expectProblem(await giveCode(await pendingBrowser(host), used), 'wrong-code', 401)
      host.system.advance(MINUTE)
      await giveCode(await pendingBrowser(host), await clockCode(theirs())).expect(200)
    })
  }

  it('works in a session too, and is noted there', async () => {
    const { host } = await withToken()
    const browser = await pendingBrowser(host)
    await giveCode(browser, await press(1)).expect(200)
    const settings = await getPage(browser, '/second-step/').expect(200)
    expect(settings.text).to.include('action="/second-step/resync"')
    await postForm(browser, RESYNC, await pair(700))
      .expect(303)
      .expect('Location', '/second-step/')
    const page = await getPage(browser, '/second-step/').expect(200)
    expect(page.text).to.include('Your device is in step again.')
    const log = await host.store.audit?.list({ user: 'ann', cursor: null, limit: 20 })
    const noted = log?.entries.find(({ type }) => type === 'resynchronised')
    expect(noted).to.deep.include({ method: 'hotp', detail: { name: null, serial: 'A-1' } })
  })

  // The attack: whoever has found the device brings it back, and its owner hears nothing.
  it('is mailed to the owner, with the serial number', async () => {
    const mails: Mail[] = []
    const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
    const mail = { from: 'no-reply@acme.example', transport }
    const { host } = await withToken(FOB, true, { mail, lost: false })
    await postJson(await pendingBrowser(host), RESYNC, await pair(900)).expect(200)
    await host.secondStep.close()
    const sent = mails.find(({ subject }) => subject.includes('in step again'))
    expect(sent?.to).to.include('ann@acme.example')
    expect(sent?.text).to.include('Serial number: A-1')
  })

  it('has one text for every pair that is wrong, and each is a miss of the one budget', async () => {
    const { host } = await withToken()
    const wrong = [
      { code: await press(20), nextCode: await press(22) },
      { code: await press(21), nextCode: await press(20) },
      { code: await press(20), nextCode: await press(20) },
      await pair(1003),
    ]
    const texts = new Set<string>()
    const login = await pendingBrowser(host)
    for (const [nth, body] of wrong.entries()) {
      const answer = await postJson(login, RESYNC, body)
      expectProblem(answer, 'wrong-code', 401)
      texts.add(answer.text)
      expect((await recordOf(host)).attempts.misses).to.have.length(nth + 1)
    }
    expect([...texts]).to.have.length(1)
    // The fifth of this sign-in, by a code: one budget.
    expectProblem(await giveCode(login, await press(50)), 'wrong-code', 401)
    expectProblem(await postJson(login, RESYNC, await pair(30)), 'sign-in-again', 401)
    const blocked = await postJson(await pendingBrowser(host), RESYNC, await pair(30))
    expectProblem(blocked, 'too-many-attempts', 429)
  })

  it('opens one door with one pair, however many ask at once, and a form sent twice is no miss', async () => {
    const { host } = await withToken()
    const body = await pair(300)
    const browsers = await Promise.all(Array.from({ length: 8 }, () => pendingBrowser(host)))
    const answers = await Promise.all(browsers.map((one) => postJson(one, RESYNC, body)))
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1)
    expect(answers.filter(({ status }) => status === 401)).to.have.length(7)
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
  })

  it('brings a new token back too that its first code could not prove', async () => {
    const { host } = await withToken(FOB, false)
    expectProblem(await giveCode(await pendingBrowser(host), await press(600)), 'wrong-code', 401)
    await postJson(await pendingBrowser(host), RESYNC, await pair(600)).expect(200)
  })

  const malformed: readonly (readonly [what: string, field: string, body: object])[] = [
    ['no code', 'code', { nextCode: '123456' }],
    ['no second code', 'nextCode', { code: '123456' }],
    ['a second code of letters', 'nextCode', { code: '123456', nextCode: 'abcdef' }],
    ['a code that is a list', 'code', { code: ['123456'], nextCode: '123456' }],
    ['a second code of another length', 'nextCode', { code: '123456', nextCode: '12345678' }],
    ['a first code of another length', 'code', { code: '12345678', nextCode: '123456' }],
    ['codes of another length', 'code', { code: '12345678', nextCode: '12345678' }],
  ]
  for (const [what, field, body] of malformed) {
    it(`is malformed with ${what}, which costs nothing`, async () => {
      const { host } = await withToken()
      const answer = await postJson(await pendingBrowser(host), RESYNC, body)
      expectProblem(answer, 'malformed-request', 400)
      expect(answer.body.field).to.equal(field)
      expect((await recordOf(host)).attempts.misses).to.deep.equal([])
    })
  }

  it('is nothing for a user with an app alone, and is not offered', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const page = await getPage(browser, '/second-step/challenge').expect(200)
    expect(page.text).not.to.include('/second-step/resync')
    const body = { code: enrolment.code(), nextCode: enrolment.code() }
    expectProblem(await postJson(browser, RESYNC, body), 'not-enrolled', 409)
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
  })

  it('needs a login that waits for a code, or a session', async () => {
    const { host } = await enrolledVisit()
    const anonymous = await postJson(browserOf(host), RESYNC, await pair(1))
    expectProblem(anonymous, 'not-signed-in', 401)
    const unbound = browserOf(host)
    await passFirstStep(unbound, bob)
    expectProblem(await postJson(unbound, RESYNC, await pair(1)), 'not-enrolled', 409)
    const address = await getPage(await pendingBrowser(host), RESYNC).expect(303)
    expect(address.headers.location).to.equal('/second-step/challenge')
  })

  it('is a form of the challenge page, where a mistake loses nothing', async () => {
    const { host } = await withToken()
    const login = await pendingBrowser(host)
    const page = await getPage(login, '/second-step/challenge').expect(200)
    expect(page.text).to.include('My device is out of step')
    const mistyped = await postForm(login, RESYNC, { code: '123456', nextCode: '12345x' })
    expect(mistyped.status).to.equal(400)
    expect(mistyped.text).to.include('value="123456"').and.include('value="12345x"')
    const wrong = await postForm(login, RESYNC, await pair(2000))
    expect(wrong.status).to.equal(401)
    expect(wrong.text).to.include('These two codes didn’t work.')
    expect(wrong.text.match(/autofocus/g)).to.have.length(1)
    await postForm(login, RESYNC, await pair(500))
      .expect(303)
      .expect('Location', '/inside')
    expect(await isIn(login)).to.equal(true)
  })
})

// The mistake: a fob that is out of step stands before a guarded page, and the page for the code knows no way out.
describe('POST /resync at the page for a fresh code', () => {
  const FRESH = '/second-step/fresh'
  const payout: HostOptions = {
    routes: ({ app, secondStep }) => {
      app.get('/payout', secondStep.requireFresh(), (_req, res) => res.send('the form'))
    },
  }

  /** Ann has given the fob's code more than five minutes ago. */
  async function staleVisit() {
    const { host } = await withToken(FOB, true, {}, payout)
    const browser = await pendingBrowser(host)
    await giveCode(browser, await press(1)).expect(200)
    host.system.advance(6 * MINUTE)
    return { host, browser }
  }

  it('leads on to the guarded page, as a code does, in a session with a new id', async () => {
    const { browser } = await staleVisit()
    await getPage(browser, '/payout').expect(303).expect('Location', FRESH)
    const page = await getPage(browser, FRESH).expect(200)
    expect(page.text).to.include(`action="${RESYNC}"`).and.include('name="from" value="fresh"')
    const answer = await postForm(browser, RESYNC, { ...(await pair(700)), from: 'fresh' })
      .expect(303)
      .expect('Location', '/payout')
    expect(cookieOf(answer)).to.match(/^connect\.sid=/)
    await getPage(browser, '/payout').expect(200, 'the form')
  })

  it('shows what is wrong at its form there, and counts one miss', async () => {
    const { host, browser } = await staleVisit()
    const typed = { code: '123456', nextCode: '12345x', from: 'fresh' }
    const mistyped = await postForm(browser, RESYNC, typed).expect(400)
    expect(mistyped.text).to.include('Confirm it’s you').and.include('value="12345x"')
    const wrong = await postForm(browser, RESYNC, { ...(await pair(2000)), from: 'fresh' })
    expect(wrong.status).to.equal(401)
    expect(wrong.text).to.include('Confirm it’s you').and.include('These two codes didn’t work.')
    expect(wrong.text.match(/autofocus/g)).to.have.length(1)
    expect((await recordOf(host)).attempts.misses).to.have.length(1)
    await getPage(browser, '/payout').expect(303).expect('Location', FRESH)
  })

  it('makes a session of a JSON client fresh too, and a used pair makes none', async () => {
    const { host, browser } = await staleVisit()
    const other = await pendingBrowser(host)
    await giveCode(other, await press(2)).expect(200)
    host.system.advance(6 * MINUTE)
    const body = await pair(700)
    const answer = await postJson(browser, RESYNC, body).expect(200)
    expect(answer.body).to.deep.equal({ status: 'resynchronised' })
    expectProblem(await postJson(other, RESYNC, body), 'wrong-code', 401)
    const fresh = async (of: Browser) => (await getJson(of, FRESH).expect(200)).body.freshUntil
    expect(await fresh(browser)).to.equal(new Date(host.system.now() + 5 * MINUTE).toISOString())
    expect(await fresh(other)).to.equal(null)
  })

  // The mistake: a phone's clock is off, its user types two codes of the phone as the page says, and each try counts.
  it('says of a phone beside a fob that its clock is to be set', async () => {
    const { host, browser: admin } = await adminVisit()
    await enrol(host, ann)
    await postJson(admin, `${ADMIN}/users/ann/token`, FOB).expect(200)
    const login = await pendingBrowser(host)
    const page = await getPage(login, '/second-step/challenge').expect(200)
    expect(page.text).to.include('check that it sets its clock automatically')
    const wrong = await giveCode(login, await press(500))
    expect(wrong.body.detail).to.include('sets its clock').and.include('two codes in a row')
    const { browser } = await staleVisit()
    expect((await getPage(browser, FRESH)).text).not.to.include('sets its clock')
  })

  it('is not offered to a user with an app alone', async () => {
    const { browser } = await signedInVisit()
    expect((await getPage(browser, FRESH).expect(200)).text).not.to.include(RESYNC)
  })

  it('keeps the page that the settings lead on to', async () => {
    const { browser } = await staleVisit()
    await getPage(browser, '/payout').expect(303)
    await postForm(browser, RESYNC, await pair(700))
      .expect(303)
      .expect('Location', '/second-step/')
    await getPage(browser, '/second-step/').expect(200)
    const { body } = await postJson(browser, FRESH, { code: await press(702) }).expect(200)
    expect(body.next).to.equal('/payout')
  })
})
