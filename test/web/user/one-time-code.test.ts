import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn } from '../../support/actions.js'
import {
  type AdministeredVisit,
  administeredVisit,
  changeOf,
  oneTimeCodeFor,
} from '../../support/administration.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { DAY, HOUR, MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf } from '../../support/sessions.js'
import {
  missTimes,
  pendingBrowser,
  recordOf,
  setPolicy,
  wrongCodeOf,
} from '../../support/visits.js'

const SETUP = '/second-step/setup'

/** Ann has lost the phone and has a code from an admin. */
async function helped(): Promise<AdministeredVisit & { code: string }> {
  const visit = await administeredVisit()
  return { ...visit, code: await oneTimeCodeFor(visit) }
}

function expectSetup(answer: { status: number; body: unknown }): void {
  expect(answer.body).to.deep.equal({ status: 'setup-required', next: SETUP })
  expect(answer.status).to.equal(200)
}

/** Sets up in this pending login; the new authenticator's code of the next step. */
async function setUp({ host }: AdministeredVisit, browser: Browser): Promise<() => string> {
  const shown = await getJson(browser, SETUP).expect(200)
  const authenticator = virtualAuthenticator(shown.body.uri)
  const code = () => authenticator.code(host.system.now())
  const { body } = await postJson(browser, SETUP, { code: code() }).expect(200)
  expect(body.status).to.equal('enrolled')
  host.system.advance(30 * SECOND)
  return code
}

describe('A one-time code at the challenge', () => {
  it('signs nobody in, and leads this login to a new authenticator', async () => {
    const visit = await helped()
    const { host, enrolment } = visit
    const browser = await pendingBrowser(host)
    expectSetup(await giveCode(browser, visit.code))
    expect(await isIn(browser)).to.equal(false)
    await getJson(browser, '/second-step/').expect(403)
    expectProblem(await giveCode(browser, enrolment.code()), 'setup-required', 403, SETUP)

    const code = await setUp(visit, browser)
    expect(await isIn(browser)).to.equal(true)
    expectProblem(await giveCode(await pendingBrowser(host), enrolment.code()), 'wrong-code', 401)
    await giveCode(await pendingBrowser(host), code()).expect(200)
    const { body } = await getJson(browser, '/second-step/').expect(200)
    const types = body.events.map(({ type }: { type: string }) => type)
    expect(types).to.include.members(['one-time-code-made', 'one-time-code-used', 'key-changed'])
  })

  it('leads a page to the set-up, which does not speak of a present app', async () => {
    const { host, code } = await helped()
    const browser = await pendingBrowser(host)
    const challenge = await getPage(browser, '/second-step/challenge').expect(200)
    expect(challenge.text).to.contain('the code you were given')
    const answer = await postForm(browser, '/second-step/challenge', { code }).expect(303)
    expect(answer.headers.location).to.equal(SETUP)
    const page = await getPage(browser, SETUP).expect(200)
    expect(page.text)
      .to.contain('Set up two-factor authentication')
      .and.not.contain('Your current device')
    const shown = await getJson(browser, SETUP).expect(200)
    const wrong = { code: wrongCodeOf(host, shown.body) }
    const again = await postForm(browser, SETUP, wrong).expect(401)
    expect(again.text).to.contain('Set up two-factor authentication')
  })

  it('is taken in every form that a backup code is', async () => {
    const { host, code } = await helped()
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')} `
    expectSetup(await giveCode(await pendingBrowser(host), typed))
  })

  it('begins a new set-up after ten wrong codes there', async () => {
    const { host, code } = await helped()
    const browser = await pendingBrowser(host)
    expectSetup(await giveCode(browser, code))
    const first = await getJson(browser, SETUP).expect(200)
    for (let miss = 0; miss < 10; miss += 1) {
      await postJson(browser, SETUP, { code: wrongCodeOf(host, first.body) }).expect(401)
    }
    expectProblem(await postJson(browser, SETUP, { code: '000000' }), 'setup-expired', 410)
    const second = await getJson(browser, SETUP).expect(200)
    expect(second.body.secret).not.to.equal(first.body.secret)
  })

  it('leaves the present authenticator working while nothing new is confirmed', async () => {
    const { host, enrolment, code } = await helped()
    const browser = await pendingBrowser(host)
    expectSetup(await giveCode(browser, code))
    await getJson(browser, SETUP).expect(200)
    await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
  })
})

describe('A one-time code', () => {
  // Parse Server CVE-2026-33624, Filament CVE-2026-48505: one recovery code let parallel logins in.
  it('opens one of fifty parallel logins', async function () {
    this.timeout(60_000)
    const { host, code } = await helped()
    const browsers = await Promise.all(Array.from({ length: 50 }, () => pendingBrowser(host)))
    const answers = await Promise.all(browsers.map((browser) => giveCode(browser, code)))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).to.have.length(1)
    const lost = answers.filter(({ status }) => status !== 200)
    expect(new Set(lost.map(({ body }) => body.code))).to.deep.equal(new Set(['wrong-code']))
    const shown = await Promise.all(browsers.map((browser) => getJson(browser, SETUP)))
    expect(shown.filter(({ status }) => status === 200)).to.have.length(1)
  })

  // Whoever sees it used, over a shoulder or in a history, has nothing.
  it('is wrong the second time, and the replay costs no try', async () => {
    const visit = await helped()
    const { host, code } = visit
    expectSetup(await giveCode(await pendingBrowser(host), code))
    const other = await pendingBrowser(host)
    for (let tried = 0; tried < 6; tried += 1) {
      expectProblem(await giveCode(other, code), 'wrong-code', 401)
    }
    await missTimes(5, { ...visit, browser: other })
  })

  it('opens the set-up in its own login, and in no other of the user’s', async () => {
    const { host, code } = await helped()
    const [one, other] = [await pendingBrowser(host), await pendingBrowser(host)]
    expectSetup(await giveCode(one, code))
    expectProblem(await getJson(other, SETUP), 'code-required', 401)
    await getJson(one, SETUP).expect(200)
  })

  it('is gone with its login', async () => {
    const { host, code } = await helped()
    const browser = await pendingBrowser(host)
    expectSetup(await giveCode(browser, code))
    host.system.advance(10 * MINUTE)
    expectProblem(await getJson(browser, SETUP), 'sign-in-again', 401)
    expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
  })

  // Gogs CVE-2025-64175: a recovery code worked on somebody else's account.
  it('of somebody else is wrong', async () => {
    const visit = await helped()
    await enrol(visit.host, bob)
    const ofBob = await oneTimeCodeFor(visit, 'bob')
    expectProblem(await giveCode(await pendingBrowser(visit.host), ofBob), 'wrong-code', 401)
    expectProblem(
      await giveCode(await pendingBrowser(visit.host, bob), visit.code),
      'wrong-code',
      401,
    )
    expectSetup(await giveCode(await pendingBrowser(visit.host, bob), ofBob))
  })

  it('works for 24 hours to the millisecond', async () => {
    const visit = await helped()
    const { host, code } = visit
    const later = await oneTimeCodeFor(visit)
    host.system.advance(DAY - 1)
    expectSetup(await giveCode(await pendingBrowser(host), later))
    host.system.advance(1)
    expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
  })

  // Teleport RFD 158: the lock shut the owner out of recovery.
  it('works while the authenticator is locked', async () => {
    const visit = await administeredVisit()
    const { host } = visit
    for (let tried = 0; tried < 20; tried += 1) {
      await missTimes(1, { ...visit, browser: await pendingBrowser(host) })
      host.system.advance(HOUR)
    }
    const locked = await giveCode(await pendingBrowser(host), visit.enrolment.code())
    expectProblem(locked, 'too-many-attempts', 429)
    const browser = await pendingBrowser(host)
    expectSetup(await giveCode(browser, await oneTimeCodeFor(visit)))
    const code = await setUp(visit, browser)
    await giveCode(await pendingBrowser(host), code()).expect(200)
  })

  it('works where the policy has no backup codes; others than the user’s are wrong', async () => {
    const { host, code, enrolment } = await helped()
    await setPolicy(host, { backupCodes: false })
    const backupCode = enrolment.backupCodes[0]
    expectProblem(await giveCode(await pendingBrowser(host), backupCode), 'wrong-code', 401)
    expectSetup(await giveCode(await pendingBrowser(host), code))
  })

  it('works when the time of a reset is over', async () => {
    const visit = await administeredVisit()
    const { host, administration } = visit
    expect((await administration.reset(changeOf())).kind).to.equal('done')
    host.system.advance(7 * DAY)
    const refused = await pendingBrowser(host)
    expectProblem(await getJson(refused, SETUP), 'code-required', 401)
    const code = await oneTimeCodeFor(visit)
    const browser = await pendingBrowser(host)
    expect((await getJson(browser, '/second-step/challenge')).body.methods).to.deep.equal([])
    expectSetup(await giveCode(browser, code))
    await setUp(visit, browser)
    expect(await isIn(browser)).to.equal(true)
    expect((await recordOf(host)).mustSetUp).to.equal(null)
  })

  it('ends with a reset', async () => {
    const { host, administration, code } = await helped()
    await administration.reset(changeOf())
    host.system.advance(7 * DAY)
    await giveCode(await pendingBrowser(host), code).expect(401)
  })

  // A second step that is asked for again must not be passed with what only opens a set-up.
  it('is wrong at every other route, and not used up there', async () => {
    const visit = await helped()
    const { host, browser, enrolment, code } = visit
    await signIn(browser, ann, enrolment)
    for (const route of ['fresh', 'change-key', 'show-key', 'backup-codes', 'reset', 'disable']) {
      expectProblem(await postJson(browser, `/second-step/${route}`, { code }), 'wrong-code', 401)
    }
    expectSetup(await giveCode(await pendingBrowser(host), code))
  })

  // The body is held back until the owner has ended the login.
  it('that a login gives after it has been ended is refused, and not used up', async () => {
    const visit = await helped()
    const { host, code, administration } = visit
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
    const parked = await park(host, '/second-step/challenge', { cookie, like: { code } })
    await administration.endSessions(changeOf())
    expect((await parked.finish({ code })).body.code).to.equal('sign-in-again')
    expectSetup(await giveCode(await pendingBrowser(host), code))
  })
})

describe('The challenge page when the time of a reset is over', () => {
  it('asks for the one-time code alone', async () => {
    const visit = await administeredVisit()
    await visit.administration.reset(changeOf())
    visit.host.system.advance(7 * DAY)
    await oneTimeCodeFor(visit)
    const browser = await pendingBrowser(visit.host)
    const page = await getPage(browser, '/second-step/challenge').expect(200)
    expect(page.text).to.contain('<details class="other-way" open>')
    expect(page.text).not.to.contain('authenticator app and type')
    const typed = { code: 'ABCDEF-ABCDEF-ABCDEF-ABCDEF' }
    const wrong = await postForm(browser, '/second-step/challenge', typed).expect(401)
    expect(wrong.text).to.contain('That code didn’t work')
  })
})

// The mistake: whoever mistypes the code that an admin gave them is told to wait for the next code, and to
// check the clock of the phone that they have lost.
describe('A mistyped one-time code', () => {
  const CHALLENGE = '/second-step/challenge'
  const NO_CODE = 'AAAAAA-AAAAAA-AAAAAA-AAAAAA'

  for (const [backupCodes, wrong, malformed, label] of [
    [
      true,
      'A backup code works once, and so does a code that an admin gave you',
      'a backup code or the code you were given 24 letters and digits',
      'Backup code, or the code you were given',
    ],
    [
      false,
      'A code that an admin gave you works once',
      'app has 6 digits, the code you were given 24 letters and digits',
      'Code you were given',
    ],
  ] as const) {
    const others = backupCodes ? 'backup codes are accepted too' : 'there are no backup codes'
    it(`is answered with what the user could have meant, where ${others}`, async () => {
      const { host, code } = await helped()
      await setPolicy(host, { backupCodes })
      const browser = await pendingBrowser(host)
      const page = await getPage(browser, CHALLENGE).expect(200)
      expect(page.text).to.contain(`<label for="backup-code">${label}</label>`)
      const missed = await giveCode(browser, NO_CODE).expect(401)
      expect(missed.body.detail).to.contain(wrong).and.not.contain('phone')
      const short = await giveCode(browser, code.slice(0, -1)).expect(400)
      expect(short.body.detail).to.contain(malformed)
      if (!backupCodes) {
        for (const text of [page.text, missed.body.detail, short.body.detail]) {
          expect(text).to.not.match(/(?<!-)backup code(?!")/i)
        }
      }
      expectSetup(await giveCode(browser, code))
    })
  }

  it('is answered so also after its use, and after a day', async () => {
    const { host, code } = await helped()
    await setPolicy(host, { backupCodes: false })
    expectSetup(await giveCode(await pendingBrowser(host), code))
    const used = await giveCode(await pendingBrowser(host), code).expect(401)
    expect(used.body.detail).to.contain('ask for a new one')
    host.system.advance(DAY)
    const over = await giveCode(await pendingBrowser(host), code).expect(401)
    expect(over.body.detail).to.contain('ask for a new one')
  })

  // Whoever is locked out has a code of an admin just for this, and was told only to wait.
  it('is what the text about too many wrong codes speaks of, where there are no backup codes', async () => {
    const { host, enrolment, code } = await helped()
    await setPolicy(host, { backupCodes: false })
    const browser = await pendingBrowser(host)
    await missTimes(5, { host, browser, enrolment })
    const locked = await giveCode(await pendingBrowser(host), enrolment.code())
    expectProblem(locked, 'too-many-attempts', 429)
    expect(locked.body.detail).to.contain('The code you were given works now')
    expectSetup(await giveCode(await pendingBrowser(host), code))
  })

  // There is no app and no backup code: no text may speak of them.
  it('is answered with its own shape where there is nothing else to type', async () => {
    const visit = await administeredVisit()
    const { host, administration } = visit
    await administration.reset(changeOf())
    host.system.advance(7 * DAY)
    const code = await oneTimeCodeFor(visit)
    const browser = await pendingBrowser(host)
    for (const typed of [code.slice(0, -1), '123456']) {
      const short = await giveCode(browser, typed)
      expectProblem(short, 'malformed-request', 400)
      expect(short.body.detail).to.equal('The code you were given has 24 letters and digits.')
      const page = await postForm(browser, CHALLENGE, { code: typed }).expect(400)
      expect(page.text).to.contain('has 24 letters and digits').and.contain(`value="${typed}"`)
    }
    const missed = await giveCode(browser, NO_CODE).expect(401)
    expect(missed.body.detail).to.contain('A code that an admin gave you works once')
    expectSetup(await giveCode(browser, code))
  })
})
