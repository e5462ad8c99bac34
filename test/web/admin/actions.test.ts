// What an admin does to somebody else's second step, and what is refused.

import { expect } from 'chai'
import type { Response } from 'supertest'
import type { Mail } from '../../../lib/index.js'
import { isIn } from '../../support/actions.js'
import {
  ADMIN,
  ada,
  adminAt,
  adminVisit,
  otherAdmin,
  putJson,
  refusalsIn,
  seenBy,
  usersOf,
} from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { DAY } from '../../support/records.js'
import { missTimes, recordOf, setPolicy } from '../../support/visits.js'

const ANN = `${ADMIN}/users/ann`
const FRESH = '/second-step/fresh'
const ACTIONS = [
  ...['disable', 'pause', 'resume', 'reset', 'backup-codes', 'one-time-code', 'unlock'],
  'end-sessions',
  'note',
  'remind',
  'token',
] as const

/** Ada with a fresh code, and Ann with a second step. */
async function annAndAda(...given: Parameters<typeof adminVisit>) {
  const visit = await adminVisit(...given)
  return { ...visit, anns: await enrol(visit.host, ann) }
}

const BODIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  pause: { days: 7 },
  note: { reason: 'called, and named the last three serial numbers' },
  token: { type: 'hotp', serial: 'A-1', secret: '00'.repeat(20) },
}
const bodyOf = (action: string): object => BODIES[action] ?? {}
const act = (browser: Browser, action: string, body: object = {}) =>
  postJson(browser, `${ANN}/${action}`, { ...bodyOf(action), ...body })

/** The record without what any write changes. */
async function traceless(host: Host, id = 'ann') {
  const { version: _, writeId: __, ...rest } = await recordOf(host, id)
  return rest
}

async function expectRefused(
  host: Host,
  send: () => PromiseLike<Response>,
  [code, status, next]: readonly [code: string, status: number, next?: string],
  refusal: object | null,
): Promise<void> {
  // Entries of one millisecond are in no order.
  host.system.advance(1)
  const before = await traceless(host)
  const logged = (await refusalsIn(host)).length
  const response = await send()
  expectProblem(response, code, status, next)
  expectSafeHeaders(response)
  expect(await traceless(host)).to.deep.equal(before)
  const refusals = await refusalsIn(host)
  expect(refusals).to.have.length(logged + (refusal === null ? 0 : 1))
  if (refusal !== null) expect(refusals[0]).to.deep.include({ code, ...refusal })
}

describe('An admin', () => {
  it('disables: the password alone is enough, and sessions end', async () => {
    const { host, browser, anns } = await annAndAda()
    const session = browserOf(host)
    await signIn(session, ann, anns)
    const answer = await act(browser, 'disable').expect(200)
    expect(answer.body).to.deep.equal({ state: 'off' })
    expectSafeHeaders(answer)
    expect(await isIn(session)).to.equal(false)
    const login = browserOf(host)
    await passFirstStep(login, ann)
    expect(await isIn(login)).to.equal(true)
    expect((await act(browser, 'disable').expect(200)).body).to.deep.equal({ state: 'off' })
  })

  it('pauses and resumes', async () => {
    const { host, browser } = await annAndAda()
    const paused = await act(browser, 'pause', { days: 7 }).expect(200)
    const pausedUntil = new Date(host.system.now() + 7 * DAY).toISOString()
    expect(paused.body).to.deep.equal({ state: 'paused', pausedUntil })
    const login = browserOf(host)
    await passFirstStep(login, ann)
    expect(await isIn(login)).to.equal(true)
    expect((await act(browser, 'resume').expect(200)).body).to.deep.equal({ state: 'on' })
    expect(await isIn(login)).to.equal(false)
    expect((await act(browser, 'resume').expect(200)).body).to.deep.equal({ state: 'on' })
  })

  it('pauses without an end, where the policy does not require a second step', async () => {
    const { host, browser } = await annAndAda()
    const paused = await act(browser, 'pause', { days: 'forever' }).expect(200)
    expect(paused.body).to.deep.equal({ state: 'paused', pausedUntil: 'forever' })
    expect(await seenBy(browser, 'ann')).to.include({ pausedUntil: 'forever' })
    await setPolicy(host, { mode: 'required' })
    await expectRefused(
      host,
      () => act(browser, 'pause', { days: 'forever' }),
      ['required-by-policy', 409],
      { action: 'pause', user: 'ann', actor: { kind: 'admin', id: 'ada' } },
    )
    await expectRefused(host, () => act(browser, 'disable'), ['required-by-policy', 409], {
      action: 'disable',
    })
  })

  it('resets: the next login sets up', async () => {
    const { host, browser } = await annAndAda()
    expect((await act(browser, 'reset').expect(200)).body).to.deep.equal({ state: 'must-set-up' })
    const login = await passFirstStep(browserOf(host), ann).expect(200)
    expect(login.body.status).to.equal('setup-required')
    const { setupDeadline } = await seenBy(browser, 'ann')
    expect(setupDeadline).to.equal(new Date(host.system.now() + 7 * DAY).toISOString())
  })

  it('makes backup codes, which work once where the old ones do not', async () => {
    const { host, browser, anns } = await annAndAda()
    const { body } = await act(browser, 'backup-codes').expect(200)
    expect(Object.keys(body)).to.deep.equal(['backupCodes'])
    expect(body.backupCodes).to.have.length(10)
    const login = browserOf(host)
    await passFirstStep(login, ann)
    await giveCode(login, anns.backupCodes[0]).expect(401)
    await giveCode(login, body.backupCodes[0]).expect(200)
    await setPolicy(host, { backupCodes: false })
    await expectRefused(host, () => act(browser, 'backup-codes'), ['switched-off', 409], {
      action: 'backup-codes',
    })
  })

  it('makes a one-time code, which leads to the set-up', async () => {
    const { host, browser } = await annAndAda()
    const { body } = await act(browser, 'one-time-code').expect(200)
    expect(Object.keys(body)).to.deep.equal(['code', 'expiresAt'])
    expect(body.expiresAt).to.equal(new Date(host.system.now() + DAY).toISOString())
    expect(body.code).to.match(/^(\w{6}-){3}\w{6}$/)
    const seen = JSON.stringify(await seenBy(browser, 'ann'))
    expect(seen).to.not.include(body.code)
  })

  it('unlocks', async () => {
    const { host, browser, anns } = await annAndAda()
    const login = browserOf(host)
    await passFirstStep(login, ann)
    await missTimes(5, { host, browser: login, enrolment: anns })
    expect((await act(browser, 'unlock').expect(200)).body).to.deep.equal({ state: 'on' })
    expect((await recordOf(host)).attempts).to.deep.equal({ misses: [], consecutive: 0 })
    const again = browserOf(host)
    await passFirstStep(again, ann)
    await giveCode(again, anns.code()).expect(200)
  })

  for (const mode of ['off', 'optional', 'required'] as const) {
    it(`is told what was done to a locked user under mode ${mode}`, async () => {
      const { host, browser } = await annAndAda()
      await setPolicy(host, { mode })
      const answer = async (action: string, body = {}) => {
        const record = await recordOf(host)
        const misses = Array.from({ length: 20 }, () => host.system.now())
        const locked = { ...record, attempts: { misses, consecutive: 20 }, writeId: 'locked' }
        await host.store.write({ ...locked, version: record.version + 1 }, record.version)
        return (await act(browser, action, body)).body
      }
      expect(await answer('pause', { days: 1 })).to.include({ state: 'paused' })
      if (mode !== 'off') expect(await answer('resume')).to.deep.equal({ state: 'locked' })
      expect(await answer('reset')).to.deep.equal({ state: 'must-set-up' })
      const off = mode === 'required' ? { code: 'required-by-policy' } : { state: 'off' }
      expect(await answer('disable')).to.include(off)
    })
  }

  it('ends sessions', async () => {
    const { host, browser, anns } = await annAndAda()
    const session = browserOf(host)
    await signIn(session, ann, anns)
    const answer = await act(browser, 'end-sessions').expect(200)
    expect(answer.body).to.deep.equal({ status: 'ended' })
    expect(await isIn(session)).to.equal(false)
    expect(await isIn(browser)).to.equal(true)
  })

  it('gives a reason, which is kept as it is', async () => {
    const { host, browser } = await annAndAda()
    const reason = '<script>alert(1)</script> lost the phone'
    await act(browser, 'reset', { reason: `  ${reason}\n` }).expect(200)
    const { events } = await seenBy(browser, 'ann')
    expect(events[0]).to.deep.include({ type: 'reset', reason })
    host.system.advance(1)
    await act(browser, 'reset', { reason: '   ' }).expect(200)
    expect((await seenBy(browser, 'ann')).events[0].reason).to.equal(null)
    await act(browser, 'reset', { reason: '👩‍💻'.repeat(100) }).expect(200)
  })

  it('adds a note, which changes nothing; the user can read it, and gets it by mail', async () => {
    const mails: Mail[] = []
    const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
    const mail = { from: 'no-reply@acme.example', transport }
    const { host, browser, anns } = await annAndAda({ mail, lost: false })
    const session = browserOf(host)
    await signIn(session, ann, anns)
    const before = await recordOf(host)
    // Entries of one millisecond are in no order.
    host.system.advance(1)
    const reason = '<b>has shown her passport</b>'
    const answer = await act(browser, 'note', { reason: ` ${reason} ` }).expect(200)
    expect(answer.body).to.deep.equal({ state: 'on' })
    expect(await recordOf(host)).to.deep.equal(before)
    const { events } = await seenBy(browser, 'ann')
    expect(events[0]).to.deep.include({ type: 'note', reason, actor: { kind: 'admin', id: 'ada' } })
    const settings = await getPage(session, '/second-step/').expect(200)
    expect(settings.text).to.include('Note').and.to.include('&lt;b&gt;has shown her passport')
    const done = await postForm(browser, `${ANN}/note`, { reason: 'in a form' }).expect(303)
    const page = await getPage(browser, done.headers.location ?? '').expect(200)
    expect(page.text).to.include('Done: the note is among the user’s events.')
    await host.secondStep.close()
    const toAnn = mails.filter(({ to }) => JSON.stringify(to).includes('ann'))
    expect(toAnn, 'that of the set-up, too').to.have.length(3)
    const texts = toAnn.map(({ text }) => text).join('')
    expect(texts).to.include(`Note: ${reason}\n`).and.to.include('Note: in a form\n')
  })

  it('adds no note without words, nor one that is too long', async () => {
    const { host, browser } = await annAndAda()
    for (const reason of [undefined, null, '', ' \n', 'x'.repeat(501), 7, ['a note'], 'a\u0000b']) {
      const send = () => act(browser, 'note', { reason })
      await expectRefused(host, send, ['malformed-request', 400], { action: 'note' })
      expect((await send()).body.field).to.equal('reason')
    }
    const page = await postForm(browser, `${ANN}/note`, { reason: ' ' }).expect(400)
    expect(page.text).to.match(/<details class="action" open>\s*<summary>Add a note/)
  })

  it('is told where there is nothing to do it to', async () => {
    const { host, browser } = await adminVisit()
    await host.secondStep.endSessions('ann')
    for (const action of ['pause', 'reset', 'backup-codes', 'one-time-code']) {
      await expectRefused(host, () => act(browser, action), ['not-enrolled', 409], { action })
    }
  })

  it('has no route that turns the second step on for somebody else', async () => {
    const { browser } = await annAndAda()
    for (const action of ['enable', 'tokens', 'setup', 'on', 'show-key']) {
      expectProblem(await act(browser, action, { secret: 'JBSWY3DPEHPK3PXP' }), 'not-found', 404)
    }
  })
})

for (const action of ACTIONS) {
  describe(`POST /users/:id/${action}`, () => {
    it('refuses admins who turn off their own second step', async () => {
      // breeze #2696: an admin turned off their own second step on the page for users.
      const { host, browser } = await annAndAda({ canAdminister: () => true })
      const before = await traceless(host, 'ada')
      const own = await postJson(browser, `${ADMIN}/users/ada/${action}`, bodyOf(action))
      expectProblem(own, 'forbidden', 403)
      expect(await traceless(host, 'ada')).to.deep.equal(before)
      const [refusal] = await refusalsIn(host)
      expect(refusal).to.deep.include({ user: 'ada', action, code: 'forbidden' })
    })

    it('refuses an admin who acts without a fresh code', async () => {
      // breeze #2696: a session that somebody had left open was enough.
      const { host, browser, enrolment } = await annAndAda()
      host.system.advance(5 * MINUTE)
      const refusal = { action, user: 'ann', reason: 'because' }
      const send = () => act(browser, action, { reason: 'because' })
      await expectRefused(host, send, ['fresh-code-required', 403, FRESH], refusal)
      const fresh = await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
      expect(fresh.body.next).to.equal(ANN)
      await act(browser, action).expect(200)
    })

    it('refuses to touch another admin', async () => {
      const { host, browser } = await annAndAda()
      await enrol(host, otherAdmin)
      const before = await traceless(host, 'otto')
      const other = await postJson(browser, `${ADMIN}/users/otto/${action}`, bodyOf(action))
      expectProblem(other, 'forbidden', 403)
      expect(await traceless(host, 'otto')).to.deep.equal(before)
    })

    it('refuses what another site sends', async () => {
      const { host, browser } = await annAndAda()
      const sent = () => act(browser, action).set('Origin', 'https://evil.example')
      await expectRefused(host, sent, ['cross-origin', 403], null)
    })

    it('refuses an odd reason', async () => {
      const { host, browser } = await annAndAda()
      const reasons = [
        'x'.repeat(501),
        ['because'],
        { because: 1 },
        7,
        true,
        null,
        'a\u0000b',
        '\ud800',
      ]
      for (const reason of reasons) {
        const send = () => act(browser, action, { reason })
        await expectRefused(host, send, ['malformed-request', 400], { action, reason: null })
      }
      const long = () => act(browser, action, { reason: 'x'.repeat(10_240) })
      await expectRefused(host, long, ['malformed-request', 413], { action, user: 'ann' })
      await act(browser, action, { reason: 'x'.repeat(500) }).expect(200)
    })

    it('refuses a malformed body', async () => {
      const { host, browser } = await annAndAda()
      for (const body of ['[]', '[1]', 'null', '"x"', '{"reason":"a"', '7']) {
        const send = () => postJson(browser, `${ANN}/${action}`, body)
        await expectRefused(host, send, ['malformed-request', 400], { action })
      }
      const text = () =>
        browser.post(`${ANN}/${action}`).set('Accept', 'application/json').type('text').send('x')
      await expectRefused(host, text, ['malformed-request', 415], { action })
    })

    it('answers not-found for an unknown user', async () => {
      const { host, browser } = await annAndAda()
      for (const id of ['nobody', 'ANN', 'ann%00', '*']) {
        const answer = await postJson(browser, `${ADMIN}/users/${id}/${action}`, bodyOf(action))
        expectProblem(answer, 'not-found', 404)
      }
      // Whoever tries ids until one is there must be seen.
      const { reason = null } = BODIES[action] ?? {}
      const refusal = { user: null, action, code: 'not-found', reason }
      const refusals = await refusalsIn(host)
      expect(refusals).to.have.length(4)
      for (const one of refusals) expect(one).to.deep.include(refusal)
    })

    it('sends a form back to the user’s page, which says what was done', async () => {
      const { browser } = await annAndAda()
      const fields = action === 'pause' ? { days: '7' } : bodyOf(action)
      const answer = await postForm(browser, `${ANN}/${action}`, { reason: 'because', ...fields })
      expectSafeHeaders(answer)
      if (action === 'backup-codes' || action === 'one-time-code') {
        expect(answer.status).to.equal(200)
        expect(answer.text.match(/<code>[\w-]{27}<\/code>/g)).to.have.length(
          action === 'backup-codes' ? 10 : 1,
        )
        return
      }
      expect([answer.status, answer.headers.location]).to.deep.equal([303, ANN])
      const page = await getPage(browser, ANN).expect(200)
      expect(page.text).to.include('<p class="done" role="status">Done:')
      expect((await getPage(browser, ANN)).text).to.not.include('class="done"')
    })
  })
}

describe('POST /users/:id/pause', () => {
  const odd = [0, -1, 1.5, '7', 1e9, null, true, [7], { days: 7 }, 366, 'Forever', '', 'NaN']
  for (const days of odd) {
    it(`refuses ${JSON.stringify(days)} days in JSON`, async () => {
      const { host, browser } = await annAndAda()
      const send = () => act(browser, 'pause', { days })
      await expectRefused(host, send, ['malformed-request', 400], { action: 'pause', user: 'ann' })
    })
  }

  it('refuses days that are missing, and JSON that has no such number', async () => {
    const { host, browser } = await annAndAda()
    for (const body of ['{}', '{"days":NaN}', '{"days":1e999}', '{"__proto__":{"days":7}}']) {
      const send = () => postJson(browser, `${ANN}/pause`, body)
      await expectRefused(host, send, ['malformed-request', 400], { action: 'pause' })
    }
  })

  for (const days of ['0', '-1', '1.5', '1e2', '0x7', ' 7', '07', '366', '٧', '', '7&days=8']) {
    it(`refuses ${JSON.stringify(days)} days in a form, and keeps what was typed`, async () => {
      const { host, browser } = await annAndAda()
      const before = await traceless(host)
      const form = `days=${days}&reason=new+%22phone%22`
      const page = await postForm(browser, `${ANN}/pause`, form).expect(400)
      expect(page.text).to.include('value="new &#34;phone&#34;"')
      expect(page.text).to.match(/<details class="action" open>\s*<summary>Pause for some days/)
      expect(await traceless(host)).to.deep.equal(before)
      // A mistake in a form is no event.
      expect(await refusalsIn(host)).to.have.length(0)
    })
  }

  it('takes the first day and the last, in both', async () => {
    const { browser } = await annAndAda()
    for (const days of [1, 365]) await act(browser, 'pause', { days }).expect(200)
    for (const days of ['1', '365', 'forever']) {
      await postForm(browser, `${ANN}/pause`, { days }).expect(303)
    }
  })
})

describe('canAdminister', () => {
  it('gets both users and the action, may return a promise, and refuses unless it returns true', async () => {
    const asked: unknown[] = []
    let answer: unknown = false
    const { host, browser } = await annAndAda({
      canAdminister: async (actor, user, action) => {
        asked.push([actor.id, user.id, action])
        return answer as boolean
      },
    })
    for (answer of [false, undefined, 'yes', 1]) {
      await expectRefused(host, () => act(browser, 'reset'), ['forbidden', 403], {
        action: 'reset',
        user: 'ann',
      })
    }
    answer = true
    await act(browser, 'reset').expect(200)
    expect(asked.at(-1)).to.deep.equal(['ada', 'ann', 'reset'])
    const other = await postJson(browser, `${ADMIN}/users/otto/end-sessions`).expect(200)
    expect(other.body).to.deep.equal({ status: 'ended' })
  })

  it('refuses if it fails', async () => {
    const { host, browser } = await annAndAda({
      canAdminister: () => {
        throw new Error('away')
      },
    })
    await expectRefused(host, () => act(browser, 'reset'), ['unavailable', 503], null)
  })
})

// A stolen session whose code is not fresh asks again and again: each refusal would be noted about the
// user, until their wrong codes are out of the log.
describe('refused changes', () => {
  it('are noted twenty times an hour, of each admin', async () => {
    const { host, browser } = await annAndAda()
    host.system.advance(10 * MINUTE)
    for (let change = 0; change < 30; change += 1) {
      expectProblem(await act(browser, 'unlock'), 'fresh-code-required', 403, FRESH)
    }
    expect(await refusalsIn(host)).to.have.length(20)
    const { browser: other } = await adminAt(host, otherAdmin)
    expectProblem(
      await postJson(other, `${ADMIN}/users/bob/pause`, { days: 0 }),
      'malformed-request',
      400,
    )
    expect(await refusalsIn(host)).to.have.length(21)
  })

  it('are noted per admin too if they are about no single user', async () => {
    // One admin's session asks for malformed policies until nobody would hear of another's.
    const { host, browser } = await annAndAda()
    const policy = (by: Browser) => putJson(by, `${ADMIN}/policy`, { mode: 'no such' }).expect(400)
    for (let change = 0; change < 25; change += 1) await policy(browser)
    const noted = (await refusalsIn(host)).length
    const { browser: other } = await adminAt(host, otherAdmin)
    await policy(other)
    expect(await refusalsIn(host)).to.have.length(noted + 1)
  })
})

describe('sixty changes in ten minutes', () => {
  it('are what an admin may make; then it is announced once, and others go on', async () => {
    const { host, browser, enrolment } = await annAndAda()
    const told: string[] = []
    host.secondStep.events.on('too-many-changes', ({ actor }) => void told.push(actor.id ?? ''))
    for (let change = 0; change < 60; change += 1) await act(browser, 'unlock').expect(200)
    for (let change = 0; change < 2; change += 1) {
      const refused = await act(browser, 'unlock')
      expectProblem(refused, 'too-many-attempts', 429)
      expect(Number(refused.headers['retry-after'])).to.be.within(1, 600)
    }
    expect(told).to.deep.equal(['ada'])
    expectProblem(
      await browser.put(`${ADMIN}/policy`).set('Accept', 'application/json').send({}),
      'too-many-attempts',
      429,
    )
    // A stolen session that goes on and on would push everything else out of the audit log.
    expect(await refusalsIn(host)).to.deep.equal([])
    const { browser: other } = await adminAt(host, otherAdmin)
    await act(other, 'unlock').expect(200)
    host.system.advance(10 * MINUTE)
    await postJson(browser, FRESH, { code: enrolment.code() }).expect(200)
  })
})

// The attack: an admin hides what they did to a user behind changes that are allowed, again and again, until the
// user's log of 1,000 has forgotten it, and with a mail for each.
describe('one action of an admin on one user', () => {
  it('is done thirty times a day at most; other actions, users and admins go on', async () => {
    const { host, browser } = await annAndAda()
    for (let change = 0; change < 30; change += 1) await act(browser, 'end-sessions').expect(200)
    const refused = await act(browser, 'end-sessions')
    expectProblem(refused, 'too-many-attempts', 429)
    expect(Number(refused.headers['retry-after'])).to.be.within(600, DAY / SECOND)
    await act(browser, 'reset').expect(200)
    await postJson(browser, `${ADMIN}/users/bob/end-sessions`).expect(200)
    const { browser: other } = await adminAt(host, otherAdmin)
    await act(other, 'end-sessions').expect(200)
  })

  it('is a note thirty times a day at most: it is done although no record changes', async () => {
    const { browser } = await annAndAda()
    for (let note = 0; note < 30; note += 1) await act(browser, 'note').expect(200)
    expectProblem(await act(browser, 'note'), 'too-many-attempts', 429)
  })

  it('costs nothing where there was nothing to do', async () => {
    const { browser } = await annAndAda()
    for (let change = 0; change < 35; change += 1) await act(browser, 'unlock').expect(200)
  })
})

describe('the admin router', () => {
  it('needs `users`, and says so at start-up', () => {
    const { secondStep } = makeHost()
    expect(() => secondStep.adminRouter())
      .to.throw(/`users/)
      .with.property('name', 'ConfigurationError')
  })

  it('names the option if it is mounted elsewhere', async () => {
    const host = makeHost({
      options: { users: usersOf([ada]) },
      mount: ({ app, secondStep }) => void app.use('/elsewhere', secondStep.adminRouter()),
    })
    const { text } = await browserOf(host).get('/elsewhere/users').expect(500)
    expect(text).to.include('paths.admin').and.to.include('adminRouter()')
  })

  it('stands behind the host’s own check', async () => {
    const { host } = await annAndAda()
    const browser = browserOf(host)
    await passFirstStep(browser, bob)
    const answer = await getJson(browser, `${ADMIN}/users`).expect(403)
    expect(answer.body.code).to.equal('host-says-no')
  })
})
