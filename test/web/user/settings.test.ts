import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { ACTIONS, isIn, letsIn, useBackupCodes } from '../../support/actions.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { badForms, badJson, sendBad } from '../../support/bad-bodies.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import {
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
  wrongCodeOf,
} from '../../support/visits.js'

const SETTINGS = '/second-step/'
const SETUP = '/second-step/setup'

for (const action of ACTIONS) {
  const path = `/second-step/${action}`

  describe(`POST /${action}`, () => {
    it('is for enrolled users who are signed in', async () => {
      const { host, browser: pending } = await pendingVisit()
      expectProblem(await postJson(pending, path), 'code-required', 401)
      expectProblem(await postJson(browserOf(host), path), 'not-signed-in', 401)
      const other = browserOf(host)
      await passFirstStep(other, bob)
      expectProblem(await postJson(other, path, { code: '123456' }), 'not-enrolled', 409)
    })

    it('takes a backup code too, and burns it', async () => {
      const { host, browser, enrolment } = await signedInVisit()
      const [code = ''] = enrolment.backupCodes
      await postJson(browser, path, { code }).expect(200)
      const { backupCodes } = await recordOf(host)
      const used = backupCodes?.codes.filter(({ usedAt }) => usedAt !== null) ?? []
      const gone = ['backup-codes', 'reset', 'disable'].includes(action)
      expect(used).to.have.length(gone ? 0 : 1)
    })

    it('does nothing by a wrong code, which costs from the same budget as the login', async () => {
      // Vaultwarden CVE-2026-27801: a second route that asked for codes did not count them.
      const visit = await signedInVisit()
      const { host, browser, enrolment } = visit
      const before = await recordOf(host)
      for (let miss = 0; miss < 3; miss += 1) {
        const code = wrongCodeOf(host, enrolment)
        expectProblem(await postJson(browser, path, { code }), 'wrong-code', 401)
      }
      await missTimes(2, { ...visit, browser: await pendingBrowser(host) })
      const { attempts, ...after } = await recordOf(host)
      expect(attempts.consecutive).to.equal(5)
      const { version, writeId } = after
      expect({ ...before, version, writeId }).to.deep.equal({ ...after, attempts: before.attempts })

      const refused = await postJson(browser, path, { code: enrolment.code() })
      expectProblem(refused, 'too-many-attempts', 429)
      expect(Number(refused.headers['retry-after'])).to.be.within(1, 60)
      const login = await giveCode(await pendingBrowser(host), enrolment.code())
      expectProblem(login, 'too-many-attempts', 429)
      host.system.advance(MINUTE)
      await postJson(browser, path, { code: enrolment.code() }).expect(200)
    })

    it('takes no code that was given before, and that costs nothing', async () => {
      // Gitea: a code that had signed in was good for another route once more.
      const { host, browser, enrolment } = await signedInVisit()
      const code = enrolment.code()
      await postJson(browser, '/second-step/fresh', { code }).expect(200)
      const before = await recordOf(host)
      expectProblem(await postJson(browser, path, { code }), 'wrong-code', 401)
      expect(await recordOf(host)).to.deep.equal(before)
    })

    it('does its work once for one code, sent twice at the same time', async () => {
      // One code opens one door, also in parallel.
      const { browser, enrolment } = await signedInVisit()
      const code = enrolment.code()
      const answers = await Promise.all([1, 2].map(() => postJson(browser, path, { code })))
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses[0]).to.equal(200)
      expect(statuses[1]).to.be.oneOf([401, 409])
    })

    it('refuses a form that another site sent', async () => {
      const { host, browser, enrolment } = await signedInVisit()
      const before = await recordOf(host)
      const code = enrolment.code()
      const sent = await postJson(browser, path, { code }).set('Origin', 'https://evil.example')
      expectProblem(sent, 'cross-origin', 403)
      expect(await recordOf(host)).to.deep.equal(before)
      expect(await isIn(browser)).to.equal(true)
    })

    it('reads the code from the body alone', async () => {
      const { browser, enrolment } = await signedInVisit()
      const answer = await postJson(browser, `${path}?code=${enrolment.code()}`)
      expectProblem(answer, 'malformed-request', 400)
    })

    it('shows a problem on the settings page at its own form, with its status', async () => {
      const { host, browser, enrolment } = await signedInVisit()
      const code = wrongCodeOf(host, enrolment)
      const page = await postForm(browser, path, { code }).expect(401)
      expectSafeHeaders(page)
      const [open, ...others] =
        page.text.match(/<details class="action" open>.*?<\/details>/gs) ?? []
      expect(others).to.deep.equal([])
      expect(open).to.include(`action="${path}"`).and.to.include('That code didn’t work')
      const odd = await postForm(browser, path, {}).expect(400)
      expect(odd.text).to.include('A code from your app has 6 digits')
    })

    it('counts no attempt for a body without a code, or an odd one', async () => {
      const { host, browser, enrolment } = await signedInVisit()
      const before = await recordOf(host)
      for (const [name, bad] of Object.entries({ ...badJson, ...badForms })) {
        const answer = await sendBad(browser.post(path).set('Accept', 'application/json'), bad)
        expect(answer.status, name).to.equal(bad.status)
        expect(answer.body.code, name).to.equal('malformed-request')
      }
      expect(await recordOf(host)).to.deep.equal(before)
      await postJson(browser, path, { code: enrolment.code() }).expect(200)
    })
  })
}

describe('the settings page', () => {
  it('is for signed-in users, and leads others to what is missing', async () => {
    const { host, browser: pending } = await pendingVisit()
    const challenge = await getPage(pending, SETTINGS).expect(401)
    expect(challenge.text).to.include('href="/second-step/challenge"')
    const anonymous = await getPage(browserOf(host), SETTINGS).expect(401)
    expect(anonymous.text).to.include('href="/login"')
  })

  it('remembers that the backup codes were never said to be saved', async () => {
    const { browser } = await signedInVisit()
    const asked = 'You haven’t told us that you saved your backup codes'
    expect((await getPage(browser, SETTINGS).expect(200)).text).to.include(asked)
    await postForm(browser, '/second-step/backup-codes/saved', { saved: '1' }).expect(303)
    expect((await getPage(browser, SETTINGS).expect(200)).text).to.not.include(asked)
  })

  it('offers no backup codes where they are switched off, and makes none', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    await setPolicy(host, { backupCodes: false })
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.not.include('action="/second-step/backup-codes')
    const before = await recordOf(host)
    const answer = await postJson(browser, '/second-step/backup-codes', { code: enrolment.code() })
    expectProblem(answer, 'switched-off', 409)
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('warns a user without an address if others get mails about changes', async () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'Acme <a@acme.example>' }
    const note = 'We have no e-mail address for you'
    const pageOf = async (users: readonly HostUser[], options: HostOptions['options'] = {}) => {
      const { browser } = await signedInVisit({ users, options })
      return (await getPage(browser, SETTINGS).expect(200)).text
    }
    const told = { mail, users: { findById: async () => null } }
    expect(await pageOf([ann], told)).to.include(note)
    expect(await pageOf([{ ...ann, email: 'ann@acme.example' }], told)).to.not.include(note)
    expect(await pageOf([ann])).to.not.include(note)
  })

  it('says why the second step can’t be turned off, where it is required', async () => {
    const { host, browser } = await signedInVisit()
    await setPolicy(host, { mode: 'required' })
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.not.include('action="/second-step/disable"')
    expect(page.text).to.include('Your account must have a second step')
    expect((await getJson(browser, SETTINGS)).body.canDisable).to.equal(false)
  })

  it('does not say that a code is asked for while the policy asks nobody', async () => {
    const { host, browser } = await signedInVisit()
    await setPolicy(host, { mode: 'off' })
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.include('<p class="state unused">Not in use</p>')
    expect(page.text).to.include('Acme doesn’t ask you for the second step at the moment')
    expect(page.text).to.not.include('You are asked for your second step when you sign in')
    await setPolicy(host, { mode: 'off', roles: {} })
    const other = browserOf(host)
    await passFirstStep(other, bob)
    const off = await getPage(other, SETTINGS).expect(200)
    expect(off.text).to.include('Acme doesn’t ask for a second step at the moment')
    expect(off.text).to.not.include('a stolen password is not enough to get in')
  })

  // "From now on signing in also takes a code", and nobody is asked for one.
  it('is no longer "on" by a set-up while the policy asks nobody, nor do the pages of it say so', async () => {
    for (const backupCodes of [true, false]) {
      const host = makeHost()
      await setPolicy(host, { mode: 'off', backupCodes })
      const browser = browserOf(host)
      await passFirstStep(browser, bob)
      const { secret } = (await getJson(browser, SETUP).expect(200)).body
      const begun = await getPage(browser, SETUP).expect(200)
      expect(begun.text).to.include('Acme doesn’t ask for a second step at the moment')
      expect(begun.text).to.not.include('signing in also takes')
      const code = virtualAuthenticator(secret).code(host.system.now())
      for (const page of [
        await postForm(browser, SETUP, { code }),
        await postForm(browser, SETUP, { code }),
      ]) {
        expect(page.status).to.equal(200)
        expect(page.text).to.include('Acme doesn’t ask you for the second step at the moment')
        expect(page.text).to.not.match(/second step is on|You will be asked/)
      }
    }
  })

  it('shows nothing of the key, the codes or their digests', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const record = await recordOf(host)
    const authenticator = authenticatorOf(record)
    const { backupCodes } = record
    const page = await getPage(browser, SETTINGS).expect(200)
    const json = await getJson(browser, SETTINGS).expect(200)
    expectSafeHeaders(page)
    const shown = page.text + JSON.stringify(json.body)
    const secrets = [enrolment.secret, authenticator?.secret, ...enrolment.backupCodes]
    for (const secret of [...secrets, backupCodes?.codes[0]?.digest]) {
      expect(shown).to.not.include(secret)
    }
  })
})

describe('a login with few backup codes left', () => {
  const loginForm = async (left: number, by: 'app' | 'backup-code' = 'app') => {
    const visit = await signedInVisit()
    await useBackupCodes(visit, 10 - left - (by === 'app' ? 0 : 1))
    const browser = browserOf(visit.host)
    await passFirstStep(browser, ann)
    await getPage(browser, '/inside?page=2').expect(303)
    const { backupCodes } = visit.enrolment
    const code = by === 'app' ? visit.enrolment.code() : (backupCodes[9] ?? '')
    const answer = await postForm(browser, '/second-step/challenge', { code }).expect(303)
    visit.host.system.advance(30_000)
    return { ...visit, browser, location: answer.headers.location }
  }

  it('goes where it was going while there are more than three', async () => {
    expect((await loginForm(4)).location).to.equal('/inside?page=2')
  })

  it('shows the settings first at three, which say so and lead on', async () => {
    const { browser, location } = await loginForm(3)
    expect(location).to.equal(SETTINGS)
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.include('You have 3 backup codes left')
    expect(page.text).to.include('<a class="quiet" href="/inside?page=2">')
  })

  it('tells a user who signs in with one how many are left, then leads on', async () => {
    const { browser, location } = await loginForm(4, 'backup-code')
    expect(location).to.equal(SETTINGS)
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.include('You signed in with a backup code. 4 are left.')
    // The way on stands where it is read: they did not ask for the settings below.
    const [notice = ''] = /<div class="done">.*?<\/div>/s.exec(page.text) ?? []
    expect(notice).to.include('4 are left').and.include('href="/inside?page=2">Continue</a>')
    expect((await getPage(browser, SETTINGS)).text).to.not.include('You signed in with')
  })

  it('makes new ones the next thing to do after the last, and then leads on', async () => {
    const { host, browser, enrolment, location } = await loginForm(0, 'backup-code')
    expect(location).to.equal(SETTINGS)
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.match(/id="code-backup-codes"[^>]* autofocus/)
    expect(page.text.match(/ autofocus/g)).to.have.length(1)
    const code = enrolment.code()
    const made = await postForm(browser, '/second-step/backup-codes', { code }).expect(200)
    const [, fresh = ''] = /<li><code>([^<]+)</.exec(made.text) ?? []
    expect(made.text).to.include('action="/second-step/backup-codes/saved"')
    const saved = await postForm(browser, '/second-step/backup-codes/saved', { saved: '1' })
    expect(saved.headers.location).to.equal('/inside?page=2')
    expect(await letsIn(host, fresh)).to.equal(true)
  })

  it('is told so in JSON and sent to no page', async () => {
    const visit = await signedInVisit()
    await useBackupCodes(visit, 8)
    const answer = await giveCode(await pendingBrowser(visit.host), visit.enrolment.code())
    const method = 'totp'
    const body = { status: 'signed-in', method, backupCodesLeft: 2, next: '/inside' }
    expect(answer.body).to.deep.equal(body)
  })

  it('works as before if backup codes are switched off', async () => {
    const { host, enrolment } = await signedInVisit()
    await setPolicy(host, { backupCodes: false })
    const browser = await pendingBrowser(host)
    const code = enrolment.code()
    const answer = await postForm(browser, '/second-step/challenge', { code }).expect(303)
    expect(answer.headers.location).to.equal('/inside')
  })
})

describe('settings of a user without a second step', () => {
  it('lead to the set-up', async () => {
    const browser = browserOf(makeHost())
    await passFirstStep(browser, ann)
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.include('href="/second-step/setup"')
    expect(page.text).to.not.include('<form')
  })
})
