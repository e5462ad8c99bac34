import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn } from '../../support/actions.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { ann, bob } from '../../support/host.js'
import { hasLink, linkIn, lostHost, lostVisit, member } from '../../support/lost.js'
import { authenticatorOf } from '../../support/records.js'
import { pendingBrowser, pendingVisit, recordOf, setPolicy } from '../../support/visits.js'

const LOST = '/second-step/lost'
const SETUP = '/second-step/setup'
const CHALLENGE = '/second-step/challenge'

/** The same 32 bytes in another spelling: the last of 43 characters has two bits that count for none. */
function respelt(part: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${part.slice(0, -1)}${letters[letters.indexOf(part.at(-1) ?? '') + 1]}`
}

describe('"Lost your code?"', () => {
  it('is offered where there is mail, and not switched off', async () => {
    const { browser } = await lostVisit()
    const challenge = await getJson(browser, CHALLENGE).expect(200)
    expect(challenge.body).to.include({ lostOffered: true, resetPending: null })
    expect((await getPage(browser, CHALLENGE)).text).to.contain(`href="${LOST}"`)
    expect((await getJson(browser, LOST).expect(200)).body).to.deep.equal({ status: 'ready' })
    const page = await getPage(browser, LOST).expect(200)
    expect(page.text).to.contain('name="email"').and.contain('autocomplete="email"')
  })

  it('is off if the host says so, or if it has no mail', async () => {
    const off = await lostVisit({ lost: false })
    const without = await pendingVisit()
    for (const { browser } of [off, without]) {
      const challenge = await getJson(browser, CHALLENGE).expect(200)
      expect(challenge.body.lostOffered).to.equal(false)
      expect((await getPage(browser, CHALLENGE)).text).not.to.contain('/lost"')
      const answers = [
        await getJson(browser, LOST),
        await postJson(browser, LOST, { email: member.email }),
        await postJson(browser, `${LOST}/cancel`),
        await getJson(browser, `${LOST}/abc.def`),
        await postJson(browser, `${LOST}/abc.def`),
        await postJson(browser, `${LOST}/abc.def/cancel`),
      ]
      for (const answer of answers) expectProblem(answer, 'switched-off', 409)
    }
  })

  it('needs a pending login', async () => {
    const { host, enrolment } = await lostVisit()
    const anonymous = browserOf(host)
    expectProblem(await getJson(anonymous, LOST), 'not-signed-in', 401)
    expectProblem(await postJson(anonymous, LOST, { email: 'a@b.c' }), 'not-signed-in', 401)
    expectProblem(await postJson(anonymous, `${LOST}/cancel`), 'not-signed-in', 401)
    await signIn(anonymous, ann, enrolment)
    expectProblem(await getJson(anonymous, LOST), 'already-signed-in', 409, '/')
    const cancelled = await postJson(anonymous, `${LOST}/cancel`).expect(200)
    expect(cancelled.body).to.deep.equal({ status: 'cancelled' })
  })

  it('mails a link to the address on record, built from the configured origin', async () => {
    const { browser, mails, idle, host } = await lostVisit()
    await browser
      .post(LOST)
      .set('Accept', 'application/json')
      .set('Host', 'evil.example')
      .set('X-Forwarded-Host', 'evil.example')
      .send({ email: ' ANN@Acme.example ' })
      .expect(202)
    await idle()
    expect(mails).to.have.length(1)
    const [mail] = mails
    expect(mail?.to).to.equal(member.email)
    expect(mail?.headers).to.deep.equal({ 'Auto-Submitted': 'auto-generated' })
    for (const body of [mail?.text, mail?.html]) {
      expect(body).not.to.contain('evil')
      expect(body).to.match(
        /http:\/\/127\.0\.0\.1\/second-step\/lost\/[\w-]+\.[\w-]{43}\.[\w-]{22}\b/,
      )
      expect(body).to.contain('Don’t press the button')
    }
    const { mailReset } = await recordOf(host)
    expect(mailReset?.expiresAt).to.equal(host.system.now() + 30 * MINUTE)
  })

  it('answers a form with the page that says: if it is right, a mail is on its way', async () => {
    const { browser, mails, idle } = await lostVisit()
    for (const email of [member.email, 'other@acme.example']) {
      const answer = await postForm(browser, LOST, { email }).expect(303)
      expect(answer.headers.location).to.equal(`${LOST}?sent=1`)
    }
    const page = await getPage(browser, `${LOST}?sent=1`).expect(200)
    expect(page.text).to.contain('If that is this account’s address')
    await idle()
    expect(mails).to.have.length(1)
  })

  const noAddress: Record<string, unknown> = {
    'a list': ['ann@acme.example', 'eve@evil.example'],
    'addresses in one text': 'ann@acme.example,eve@evil.example',
    'a line break inside': 'ann@acme.example\r\nBcc: eve@evil.example',
    'a line break at the end': 'ann@acme.example\n',
    'an object': { address: 'ann@acme.example' },
    'a number': 1,
    nothing: undefined,
    'an empty text': '',
    'a name': 'ann',
    'two at signs': 'ann@acme.example@evil.example',
    'a name and an address': 'Ann <ann@acme.example>',
    'more than 254 characters': `${'a'.repeat(60)}@${'b'.repeat(194)}`,
  }
  for (const [what, email] of Object.entries(noAddress)) {
    it(`refuses ${what} where an address belongs`, async () => {
      const { browser, mails, idle } = await lostVisit()
      const answer = await postJson(browser, LOST, { email })
      expectProblem(answer, 'malformed-request', 400)
      await idle()
      expect(mails).to.deep.equal([])
    })
  }

  it('refuses two fields of a form, and says so on its page', async () => {
    const { browser } = await lostVisit()
    const answer = await postForm(browser, LOST, 'email=ann%40acme.example&email=e%40evil.example')
    expect(answer.status).to.equal(400)
    expect(answer.text).to.contain('name="email"').and.contain('role="alert"')
  })
})

describe('the link of a reset by mail', () => {
  it('resets, for the pending login that presses its button, and the set-up follows', async () => {
    const { host, browser, enrolment, ask, link, mails, idle } = await lostVisit()
    await ask()
    const shown = await getJson(browser, link()).expect(200)
    const availableAt = new Date(host.system.now()).toISOString()
    expect(shown.body).to.deep.equal({ status: 'valid', availableAt, canReset: true })
    const page = await getPage(browser, link()).expect(200)
    expect(page.text).to.contain(`action="${link()}"`).and.contain('Don’t press the button')

    const pressed = await postJson(browser, link()).expect(200)
    expect(pressed.body).to.deep.equal({ status: 'reset', next: SETUP })
    const record = await recordOf(host)
    const authenticator = authenticatorOf(record)
    const { backupCodes, mustSetUp, mailReset } = record
    expect([authenticator, backupCodes, mailReset]).to.deep.equal([null, null, null])
    const from = host.system.now()
    expect(mustSetUp).to.deep.equal({ until: from + DAY, from })
    await idle()
    expect(mails.at(-1)?.subject).to.contain('was reset by e-mail')

    const { body } = await getJson(browser, SETUP).expect(200)
    expect(body.secret).not.to.equal(enrolment.secret)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    const done = await postJson(browser, SETUP, { code }).expect(200)
    expect(done.body).to.include({ status: 'enrolled', next: '/inside' })
    expect(await isIn(browser)).to.equal(true)
  })

  it('leads a page’s visitor to the set-up', async () => {
    const { browser, ask, link } = await lostVisit()
    await ask()
    const answer = await postForm(browser, link()).expect(303)
    expect(answer.headers.location).to.equal(SETUP)
    expect((await getPage(browser, SETUP).expect(200)).text).to.contain('<svg')
  })

  it('changes nothing when it is opened, however often and by whomever', async () => {
    // Outlook's Safe Links fetch every address of a mail, before its reader does.
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    const before = await recordOf(host)
    for (let opening = 0; opening < 15; opening += 1) {
      for (const each of [browser, browserOf(host)]) await getPage(each, link()).expect(200)
      await browserOf(host).head(link()).expect(200)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await postJson(browser, link()).expect(200)
  })

  it('records an unknown actor for opening or cancelling, unless it is the user', async () => {
    // A mail scanner that opens and presses all there is would look like the owner in the log.
    const { host, browser, enrolment, ask, link } = await lostVisit({}, [
      member,
      { ...bob, email: 'bob@acme.example' },
    ])
    const [inside, others] = [browserOf(host), browserOf(host)]
    await signIn(inside, ann, enrolment)
    await passFirstStep(others, bob)
    const told: unknown[] = []
    host.secondStep.events.on('mail-reset-opened', ({ user, actor }) => told.push([user, actor]))
    host.secondStep.events.on('mail-reset-cancelled', ({ user, actor }) => told.push([user, actor]))
    const unknown = ['ann', { kind: 'user', id: null }]
    const herself = ['ann', { kind: 'user', id: 'ann' }]
    await ask()
    for (const each of [browserOf(host), others, browser, inside]) {
      await getJson(each, link()).expect(200)
    }
    expect(told.splice(0)).to.deep.equal([unknown, unknown, herself, herself])
    const { mailReset } = await recordOf(host)
    for (const [each, actor] of [
      [browserOf(host), unknown],
      [inside, herself],
    ] as const) {
      const record = await recordOf(host)
      const { version } = record
      await host.store.write(
        { ...record, mailReset, version: version + 1, writeId: `restored ${version}` },
        version,
      )
      await postJson(each, `${link()}/cancel`).expect(200)
      expect(told.splice(0)).to.deep.equal([actor])
    }
    const settings = await getPage(inside, '/second-step/').expect(200)
    expect(settings.text).to.contain('Reset link opened').and.not.contain('null')
  })

  it('is good for 30 minutes, to the millisecond', async () => {
    const { host, ask, link } = await lostVisit()
    await ask()
    host.system.advance(30 * MINUTE - 1)
    const browser = await pendingBrowser(host)
    await getJson(browser, link()).expect(200)
    host.system.advance(1)
    expectProblem(await getJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(browser, `${link()}/cancel`), 'link-expired', 410)
    expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
  })

  it('works once, and then is dead for everybody', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    const other = browserOf(host)
    await postJson(browser, link()).expect(200)
    for (const each of [browser, other]) {
      expectProblem(await postJson(each, link()), 'link-expired', 410)
      expectProblem(await getJson(each, link()), 'link-expired', 410)
    }
    expect((await getPage(other, link())).status).to.equal(410)
  })

  it('continues only the login that pressed it, and ends every other', async () => {
    const { host, browser, enrolment, ask, link } = await lostVisit()
    const [inside, pending] = [browserOf(host), await pendingBrowser(host)]
    await signIn(inside, ann, enrolment)
    host.system.advance(MINUTE)
    await ask()
    const pressed = await postJson(browser, link()).expect(200)
    expect(pressed.headers['set-cookie']?.[0], 'a session id of its own').to.match(/^connect\.sid=/)
    expect(await isIn(inside)).to.equal(false)
    expectProblem(await giveCode(pending, enrolment.backupCodes[0]), 'sign-in-again', 401)
    expectProblem(await getJson(pending, SETUP), 'sign-in-again', 401)
    await getJson(browser, SETUP).expect(200)
  })

  it('gives the login that pressed it ten minutes more', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    host.system.advance(9 * MINUTE)
    await postJson(browser, link()).expect(200)
    host.system.advance(9 * MINUTE)
    await getJson(browser, SETUP).expect(200)
    host.system.advance(MINUTE)
    expectProblem(await getJson(browser, SETUP), 'sign-in-again', 401)
  })

  it('asks a visitor without a pending login of that user to sign in, and stays valid', async () => {
    const { host, browser, enrolment, ask, link } = await lostVisit()
    const inside = browserOf(host)
    await signIn(inside, ann, enrolment)
    const over = await pendingBrowser(host)
    host.system.advance(9 * MINUTE)
    const pending = await pendingBrowser(host)
    await ask(member.email, pending)
    const before = await recordOf(host)
    host.system.advance(MINUTE)
    for (const each of [browserOf(host), inside, over, browser]) {
      expect((await getJson(each, link()).expect(200)).body.canReset).to.equal(false)
      expectProblem(await postJson(each, link()), 'not-signed-in', 401)
      const page = await postForm(each, link())
      expect(page.status).to.equal(401)
      expect(page.text).to.contain('then open the link again').and.not.contain('class="danger"')
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await postJson(pending, link()).expect(200)
  })

  it('is not for a pending login of somebody else', async () => {
    const second = { ...bob, email: 'bob@acme.example' }
    const visit = await lostVisit({}, [member, second])
    const { host, ask, link, idle } = visit
    const others = browserOf(host)
    await passFirstStep(others, bob)
    const shown = await getJson(others, SETUP).expect(200)
    const code = virtualAuthenticator(shown.body.secret).code(host.system.now())
    await postJson(others, SETUP, { code }).expect(200)
    await idle()
    await ask()
    const pending = await pendingBrowser(host, bob)
    expect((await getJson(pending, link()).expect(200)).body.canReset).to.equal(false)
    expectProblem(await postJson(pending, link()), 'not-signed-in', 401)
    expect(authenticatorOf(await recordOf(host, 'bob'))).not.to.equal(null)
    expect(authenticatorOf(await recordOf(host, 'ann'))).not.to.equal(null)
  })

  it('is dead in every other spelling, and of every other user', async () => {
    const { browser, ask, link } = await lostVisit()
    await ask()
    const token = link().replace(`${LOST}/`, '')
    const [user = '', secret = '', mac = ''] = token.split('.')
    const bobs = Buffer.from('bob').toString('base64url')
    const flipped = secret.startsWith('A') ? 'B' : 'A'
    const wrong = [
      ...[`${bobs}.${secret}.${mac}`, `${user}.${flipped}${secret.slice(1)}.${mac}`, secret, user],
      ...[`${user}.${secret}`, `${user}.${secret}.`, `${user}.${secret}.${secret}`],
      ...[token.slice(0, -1), `${token}A`, `${token}${token}`, `${token}.${token}`],
      ...[token.toUpperCase(), `${token}=`, `${token}.`, `.${token}`, ` ${token}`, `${token}%0A`],
      ...[
        `${user}=.${secret}.${mac}`,
        `${user}.${secret}=.${mac}`,
        `${user}..${secret}.${mac}`,
        `${user}.`,
        `.${secret}`,
        '.',
        'x'.repeat(3000),
      ],
      ...[`${user}.${respelt(secret)}.${mac}`, `${user}.${secret}.${respelt(mac)}`],
    ]
    for (const each of wrong) {
      const path = `${LOST}/${each}`
      expectProblem(await getJson(browser, path), 'link-expired', 410)
      expectProblem(await postJson(browser, path), 'link-expired', 410)
      expectProblem(await postJson(browser, `${path}/cancel`), 'link-expired', 410)
    }
    await postJson(browser, link()).expect(200)
  })

  it('never gets to the host’s errors, however it is spoilt', async () => {
    // A stray % at its end: Express throws, with the whole path, and hosts log what is thrown.
    const errors: string[] = []
    const note: ErrorRequestHandler = (error, _req, _res, next) => {
      errors.push(String(error))
      next(error)
    }
    const { options, idle, mails } = lostHost()
    const visit = await pendingVisit({ ...options, routes: ({ app }) => void app.use(note) })
    await postJson(visit.browser, LOST, { email: member.email }).expect(202)
    await idle(visit.host)
    const link = linkIn(mails.findLast(hasLink))
    for (const path of [`${link}%`, `${link}%ff`, `${link}%/cancel`]) {
      for (const each of [visit.browser, browserOf(visit.host)]) {
        const seen = await getJson(each, path)
        const pressed = await postJson(each, path)
        expectProblem(pressed, 'malformed-request', 400)
        if (!path.endsWith('/cancel')) expectProblem(seen, 'malformed-request', 400)
        const page = await postForm(each, path)
        expect(page.status).to.equal(400)
        for (const answer of [seen, pressed, page]) expectSafeHeaders(answer)
        expect(page.text).to.contain('Please check').and.not.contain(link)
      }
    }
    expect(errors).to.deep.equal([])
    await getJson(visit.browser, link).expect(200)
  })

  it('ends with the next mail, and not with a request that the limits refuse', async () => {
    const { browser, ask, link, mails, idle, host } = await lostVisit()
    await ask()
    const first = link()
    const refused: unknown[] = []
    host.secondStep.events.on('mail-reset-refused', ({ detail }) => refused.push(detail))
    await ask()
    await ask()
    await idle()
    expect(mails).to.have.length(1)
    expect(refused).to.deep.equal([{ why: 'too-many-mails' }, { why: 'too-many-mails' }])
    await getJson(browser, first).expect(200)
  })

  it('can be cancelled by anybody who has it, without a code', async () => {
    const { host, browser, ask, link, mails, idle } = await lostVisit()
    await ask()
    const elsewhere = browserOf(host)
    const answer = await postJson(elsewhere, `${link()}/cancel`).expect(200)
    expect(answer.body).to.deep.equal({ status: 'cancelled' })
    const path = link()
    expectProblem(await getJson(browser, path), 'link-expired', 410)
    expectProblem(await postJson(browser, path), 'link-expired', 410)
    expectProblem(await postJson(elsewhere, `${path}/cancel`), 'link-expired', 410)
    await idle()
    expect(mails.at(-1)?.subject).to.contain('cancelled')
  })

  it('shows a page’s visitor that it is cancelled', async () => {
    const { host, ask, link } = await lostVisit()
    await ask()
    const elsewhere = browserOf(host)
    const answer = await postForm(elsewhere, `${link()}/cancel`).expect(303)
    const page = await getPage(elsewhere, answer.headers.location ?? '').expect(200)
    expect(page.text).to.contain('The link no longer works')
  })

  it('ends with any good second step', async () => {
    const { host, browser, enrolment, ask, link, mails, idle } = await lostVisit()
    await ask()
    const path = link()
    await giveCode(browser, enrolment.backupCodes[0]).expect(200)
    expectProblem(await getJson(await pendingBrowser(host), path), 'link-expired', 410)
    await idle()
    expect(mails.map(({ subject }) => subject).join()).to.contain('cancelled')
  })

  it('is not started by another site', async () => {
    const { browser, ask, link } = await lostVisit()
    await ask()
    for (const path of [LOST, link(), `${link()}/cancel`, `${LOST}/cancel`]) {
      const answer = await browser.post(path).set('Origin', 'https://evil.example').send({})
      expect(answer.status).to.equal(403)
    }
    await getJson(browser, link()).expect(200)
  })
})

describe('between the mail and the button', () => {
  it('another address ends the reset', async () => {
    const { browser, users, ask, link } = await lostVisit()
    await ask()
    users.set('ann', { ...member, email: 'eve@evil.example' })
    expectProblem(await getJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
  })

  it('another spelling of the address does not', async () => {
    const { browser, users, ask, link } = await lostVisit()
    await ask()
    users.set('ann', { ...member, email: 'ANN@acme.example' })
    await postJson(browser, link()).expect(200)
  })

  it('a user who is gone, or may not be reset any more, is not reset', async () => {
    let allowed = true
    const { browser, users, ask, link, host } = await lostVisit({ lost: { allow: () => allowed } })
    await ask()
    users.delete('ann')
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
    users.set('ann', member)
    allowed = false
    expectProblem(await getJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
    expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
    allowed = true
    await postJson(browser, link()).expect(200)
  })

  it('ended sessions end it', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    await host.secondStep.endSessions('ann')
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(await pendingBrowser(host), link()), 'link-expired', 410)
  })

  it('a changed password ends login and link: it is what the mail moves an owner to', async () => {
    // Who has asked knows the password and may read the mails: a wait that went on would let them in.
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    const heard: string[] = []
    host.secondStep.events.on('event', ({ type }) => heard.push(type))
    await host.secondStep.passwordChanged('ann')
    expect(heard).to.deep.equal(['password-changed', 'mail-reset-cancelled'])
    expectProblem(await postJson(browser, link()), 'link-expired', 410)
    expectProblem(await postJson(await pendingBrowser(host), link()), 'link-expired', 410)
  })

  it('a policy that asks nobody any more lets the login in, and resets nothing', async () => {
    const { host, browser, ask, link } = await lostVisit()
    await ask()
    await setPolicy(host, { mode: 'off' })
    expectProblem(await postJson(browser, link()), 'not-signed-in', 401)
    expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
    expect(await isIn(browser)).to.equal(true)
  })

  it('a part that does not answer is a refusal, and nothing is half done', async () => {
    let broken = false
    const answer = () => {
      if (broken) throw new Error('away')
      return true
    }
    const { host, browser, ask, link } = await lostVisit({ lost: { allow: answer } })
    await ask()
    const before = await recordOf(host)
    broken = true
    expectProblem(await postJson(browser, link()), 'unavailable', 503)
    expect(await recordOf(host)).to.deep.equal(before)
    broken = false
    await postJson(browser, link()).expect(200)
  })
})

describe('the login after a reset by mail', () => {
  it('shows the set-up again for a day, and then offers only a new reset', async () => {
    const { host, browser, ask, link, idle } = await lostVisit()
    await ask()
    await postJson(browser, link()).expect(200)
    await idle()
    host.system.advance(DAY - 1)
    const login = await passFirstStep(browserOf(host), ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: SETUP })
    host.system.advance(1)
    const late = await pendingBrowser(host)
    const challenge = await getJson(late, CHALLENGE).expect(200)
    expect(challenge.body).to.deep.include({ methods: [], lostOffered: true })
    const page = await getPage(late, CHALLENGE).expect(200)
    expect(page.text).to.contain(`href="${LOST}"`).and.not.contain('name="code"')
  })
})

// The attack: 120 refused requests push the guesser's own wrong codes out of the user's log.
describe('refused requests for a mail', () => {
  it('are noted ten times a day, in however many logins', async () => {
    const { host, ask } = await lostVisit()
    const told: string[] = []
    host.secondStep.events.on('mail-reset-refused', ({ type }) => void told.push(type))
    for (let login = 0; login < 3; login += 1) {
      const browser = await pendingBrowser(host)
      for (let time = 0; time < 6; time += 1) await ask('other@acme.example', browser)
    }
    expect(told).to.have.length(10)
  })
})
