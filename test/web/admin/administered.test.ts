import { expect } from 'chai'
import { isIn } from '../../support/actions.js'
import { administeredVisit, changeOf, oneTimeCodeFor } from '../../support/administration.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { DAY, SECOND } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { pendingBrowser, recordOf, setPolicy } from '../../support/visits.js'

const SETTINGS = '/second-step/'
const SETUP = '/second-step/setup'

describe('A pause by an admin', () => {
  // stellar-wallet #62, breeze #5686: a pause or a grace period that renewed itself at a login, so
  // that whoever signed in now and then was never asked again.
  it('is neither renewed nor cleared by a login, and ends by itself', async () => {
    const { host, browser, enrolment, administration } = await administeredVisit()
    const until = host.system.now() + 2 * DAY
    await administration.pause(changeOf(), 2)
    for (const at of [until - DAY, until - 1]) {
      host.system.advance(at - host.system.now())
      expect((await passFirstStep(browserOf(host), ann)).status).to.equal(302)
      expect((await recordOf(host)).pausedUntil).to.equal(until)
    }
    await passFirstStep(browser, ann)
    expect(await isIn(browser)).to.equal(true)

    host.system.advance(1)
    expect(await isIn(browser), 'a session that was made in the pause').to.equal(false)
    expectProblem(await getJson(browser, SETTINGS), 'code-required', 401)
    expect((await passFirstStep(browserOf(host), ann)).body.status).to.equal('code-required')
    host.system.advance(30 * SECOND)
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('can be ended, and asks at the next request', async () => {
    const { host, browser, administration } = await administeredVisit()
    await administration.pause(changeOf(), 'forever')
    await passFirstStep(browser, ann)
    expect(await isIn(browser)).to.equal(true)
    await administration.resume(changeOf())
    expect(await isIn(browser)).to.equal(false)
    expect((await passFirstStep(browserOf(host), ann)).body.status).to.equal('code-required')
  })
})

describe('A reset by an admin', () => {
  // Joomla CVE-2024-21722: sessions, codes and trusted browsers outlived it.
  it('leaves no session, no pending login and no code alive', async () => {
    const visit = await administeredVisit()
    const { host, browser, enrolment, administration } = visit
    await signIn(browser, ann, enrolment)
    host.system.advance(30 * SECOND)
    const pending = await pendingBrowser(host)
    const oneTimeCode = await oneTimeCodeFor(visit)
    await administration.reset(changeOf())

    expect(await isIn(browser)).to.equal(false)
    const codes = [enrolment.code(), enrolment.backupCodes[0], oneTimeCode]
    for (const code of codes) expectProblem(await giveCode(pending, code), 'sign-in-again', 401)
    const login = await passFirstStep(browserOf(host), ann)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: SETUP })
    host.system.advance(7 * DAY)
    for (const code of codes) await giveCode(await pendingBrowser(host), code).expect(401)
  })

  // A grace period that renews itself: one reset a week, and nobody ever has to set up.
  it('gives no new days of grace: the next login sets up at once', async () => {
    const { host, administration } = await administeredVisit()
    const general = host.system.now() - DAY
    await setPolicy(host, { mode: 'required', requiredSince: { general, roles: {} } })
    await administration.reset(changeOf())
    const login = await passFirstStep(browserOf(host), ann)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: SETUP })
  })
})

describe('A second step that an admin turns off', () => {
  it('lets the password alone in, and ends the sessions from before', async () => {
    const { host, browser, enrolment, administration } = await administeredVisit()
    await signIn(browser, ann, enrolment)
    await administration.disable(changeOf())
    expect(await isIn(browser)).to.equal(false)
    const anew = browserOf(host)
    await passFirstStep(anew, ann).expect(302)
    expect(await isIn(anew)).to.equal(true)
  })
})

describe('Backup codes that an admin has made', () => {
  async function madeByAdmin() {
    const visit = await administeredVisit()
    const made = await visit.administration.makeBackupCodes(changeOf())
    if (made.kind !== 'done') throw new Error(made.kind)
    return { ...visit, codes: made.result }
  }

  it('replace all others, and lead a user of one to make new ones', async () => {
    const { host, enrolment, codes } = await madeByAdmin()
    const browser = await pendingBrowser(host)
    expectProblem(await giveCode(browser, enrolment.backupCodes[0]), 'wrong-code', 401)
    const { body } = await giveCode(browser, codes[0]).expect(200)
    const signedIn = { status: 'signed-in', method: 'backup-code', backupCodesLeft: 9 }
    expect(body).to.deep.equal({ ...signedIn, next: SETTINGS })

    host.system.advance(30 * SECOND)
    const made = await postJson(browser, '/second-step/backup-codes', { code: enrolment.code() })
    const own = await giveCode(await pendingBrowser(host), made.body.backupCodes[0]).expect(200)
    expect(own.body.next).to.equal('/inside')
  })

  it('lead a page to the settings, which say why and lead on', async () => {
    const { host, codes, enrolment } = await madeByAdmin()
    const before = browserOf(host)
    await signIn(before, ann, enrolment)
    const unused = await getPage(before, SETTINGS).expect(200)
    expect(unused.text).not.to.contain('has seen your backup codes')

    const browser = await pendingBrowser(host)
    const answer = await postForm(browser, '/second-step/challenge', { code: codes[0] })
    expect([answer.status, answer.headers.location]).to.deep.equal([303, SETTINGS])
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.contain('An admin has seen your backup codes')
    // One note: to make new codes, and to say that these are saved, can't both be asked.
    expect(page.text).to.not.contain('You haven’t told us')
    expect(page.text.match(/class="note">/g)).to.have.length(1)
    expect(page.text).to.contain('href="/inside"')
  })

  it('are not to be kept, however few are left', async () => {
    const { host, codes, enrolment } = await madeByAdmin()
    for (const code of codes.slice(0, 8)) await giveCode(await pendingBrowser(host), code)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    const few = await getPage(browser, SETTINGS).expect(200)
    expect(few.text).to.contain('An admin has seen your backup codes').and.not.contain('Keep them')
    for (const code of codes.slice(8)) await giveCode(await pendingBrowser(host), code)
    const none = await getPage(browser, SETTINGS).expect(200)
    expect(none.text).to.contain('You have no backup codes').and.not.contain('An admin has seen')
  })

  it('do not lead astray who signs in by the authenticator', async () => {
    const { host, enrolment } = await madeByAdmin()
    const { body } = await giveCode(await pendingBrowser(host), enrolment.code()).expect(200)
    expect(body.next).to.equal('/inside')
  })
})
