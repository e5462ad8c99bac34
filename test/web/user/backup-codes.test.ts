import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn, letsIn } from '../../support/actions.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { sessionsOf } from '../../support/sessions.js'
import {
  enrolledVisit,
  pendingBrowser,
  recordOf,
  setPolicy,
  signedInVisit,
} from '../../support/visits.js'

const SHAPE = /^[0-9A-HJKMNP-TV-Z]{6}(-[0-9A-HJKMNP-TV-Z]{6}){3}$/
const SAVED = '/second-step/backup-codes/saved'

describe('the backup codes of a set-up', () => {
  it('are ten, all different, in groups of six', async () => {
    const { enrolment } = await enrolledVisit()
    expect(enrolment.backupCodes).to.have.length(10)
    expect(new Set(enrolment.backupCodes)).to.have.length(10)
    for (const code of enrolment.backupCodes) expect(code).to.match(SHAPE)
  })

  it('are other ones at every set-up', async () => {
    const sets = [await enrolledVisit(), await enrolledVisit()]
    const codes = sets.flatMap(({ enrolment }) => enrolment.backupCodes)
    expect(new Set(codes)).to.have.length(20)
  })

  it('are shown once, by the POST itself, and kept nowhere once another page is opened', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    const page = await postForm(browser, '/second-step/setup', { code }).expect(200)
    const codes = [...page.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, shown]) => shown)
    expect(codes).to.have.length(10)
    for (const shown of codes) expect(shown).to.match(SHAPE)

    const settings = await getPage(browser, '/second-step').expect(200)
    const again = await postForm(browser, '/second-step/setup', { code }).expect(409)
    const kept = JSON.stringify([await recordOf(host), sessionsOf(host), again.text, settings.text])
    for (const shown of codes) {
      expect(kept).to.not.include(shown)
      expect(kept).to.not.include(shown?.replaceAll('-', ''))
    }
  })

  it('are one less in the settings after each use', async () => {
    const { host, enrolment } = await enrolledVisit()
    const browser = await pendingBrowser(host)
    await giveCode(browser, enrolment.backupCodes[3]).expect(200)
    const { body } = await getJson(browser, '/second-step').expect(200)
    expect(body.backupCodesLeft).to.equal(9)
    expect((await host.secondStep.status('ann')).backupCodesLeft).to.equal(9)
  })

  it('are saved when the user says so, and it may be said twice', async () => {
    const { browser } = await signedInVisit()
    const saved = async () => (await getJson(browser, '/second-step')).body.backupCodesSaved
    expect(await saved()).to.equal(false)
    await postJson(browser, SAVED).expect(200, { backupCodesSaved: true })
    expect(await saved()).to.equal(true)
    await postJson(browser, SAVED).expect(200, { backupCodesSaved: true })
    expect(await saved()).to.equal(true)
  })

  it('lead on to where the login was going, once they are saved', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await getPage(browser, '/inside?page=2').expect(303)
    await enrol(host, ann, browser)
    // Signing in again within enrol() was another login: its destination counts.
    const saved = await postForm(browser, SAVED, { saved: '1' }).expect(303)
    expect(saved.headers.location).to.equal('/inside')
    const again = await postForm(browser, SAVED, { saved: '1' }).expect(303)
    expect(again.headers.location, 'and only once').to.equal('/second-step/')
  })

  it('cannot be marked as saved without a sign-in', async () => {
    const { host, browser } = await enrolledVisit()
    expectProblem(await postJson(browser, SAVED), 'not-signed-in', 401)
    const pending = await pendingBrowser(host)
    expectProblem(await postJson(pending, SAVED), 'code-required', 401)
    expect((await recordOf(host)).backupCodes?.saved).to.equal(false)
  })
})

describe('new backup codes', () => {
  const NEW = '/second-step/backup-codes'

  it('are ten others, and all earlier ones are dead at once', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const answer = await postJson(browser, NEW, { code: enrolment.code() }).expect(200)
    expectSafeHeaders(answer)
    expect(answer.body).to.have.all.keys('backupCodes')
    const codes: readonly string[] = answer.body.backupCodes
    expect(new Set([...codes, ...enrolment.backupCodes])).to.have.length(20)
    for (const code of codes) expect(code).to.match(SHAPE)
    for (const code of enrolment.backupCodes) expect(await letsIn(host, code)).to.equal(false)
    for (const code of codes) expect(await letsIn(host, code)).to.equal(true)
  })

  it('leave the authenticator and all sessions as they are', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const other = browserOf(host)
    await signIn(other, ann, enrolment)
    host.system.advance(30 * SECOND)
    const before = await recordOf(host)
    const page = await postForm(browser, NEW, { code: enrolment.code() }).expect(200)
    expect(page.text).to.not.include('you have been signed out')
    const after = await recordOf(host)
    expect(after.epoch).to.equal(before.epoch)
    expect(authenticatorOf(after)?.secret).to.equal(authenticatorOf(before)?.secret)
    for (const each of [browser, other]) expect(await isIn(each)).to.equal(true)
  })

  it('do not count as saved until the user confirms again', async () => {
    const { browser, enrolment } = await signedInVisit()
    await postJson(browser, SAVED).expect(200)
    await postJson(browser, NEW, { code: enrolment.code() }).expect(200)
    const { body } = await getJson(browser, '/second-step')
    expect(body).to.include({ backupCodesLeft: 10, backupCodesSaved: false })
  })

  it('are shown by the POST itself on a page that no cache keeps, and never again', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const page = await postForm(browser, NEW, { code: enrolment.code() }).expect(200)
    expectSafeHeaders(page)
    const codes = [...page.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, shown]) => shown)
    expect(codes).to.have.length(10)
    // The address of the form leads to the settings, which show none.
    const again = await getPage(browser, NEW).expect(303).expect('Location', '/second-step/')
    for (const code of codes) expect(again.text).to.not.include(code)
    const kept = JSON.stringify([await recordOf(host), sessionsOf(host)])
    for (const code of codes) expect(kept).to.not.include(code)
  })

  it('can be made by the last of the old ones', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const [code] = enrolment.backupCodes
    const made = await postJson(browser, NEW, { code }).expect(200)
    expect((await getJson(browser, '/second-step')).body.backupCodesLeft).to.equal(10)
    expect(await letsIn(host, made.body.backupCodes[9])).to.equal(true)
  })
})

describe('backupCodes: false', () => {
  const options = { options: { backupCodes: false } }

  it('makes none, says so on the page, and asks for none', async () => {
    const host = makeHost(options)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    const page = await postForm(browser, '/second-step/setup', { code }).expect(200)
    expect(page.text).to.include('Your second step is on').and.to.not.include('<ul class="codes"')
    expect((await recordOf(host)).backupCodes).to.equal(null)
    const pending = await pendingBrowser(host)
    const shown = await getJson(pending, '/second-step/challenge').expect(200)
    expect(shown.body.methods).to.deep.equal(['totp'])
    const challenge = await getPage(pending, '/second-step/challenge').expect(200)
    expect(challenge.text).to.not.include('backup code')
  })

  it('are not made where the policy switches them off while the change is under way', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const before = await recordOf(host)
    const { write } = host.store
    host.store.write = async () => {
      host.store.write = write
      await setPolicy(host, { backupCodes: false })
      return false
    }
    const answer = await postJson(browser, '/second-step/backup-codes', { code: enrolment.code() })
    expectProblem(answer, 'switched-off', 409)
    expect(await recordOf(host), 'no code is burned').to.deep.equal(before)
  })

  it('answers an empty list in JSON, and refuses one that somebody has from before', async () => {
    const { enrolment, host } = await enrolledVisit(options)
    expect(enrolment.backupCodes).to.deep.equal([])
    const answer = await giveCode(await pendingBrowser(host), 'ABCDEF-ABCDEF-ABCDEF-ABCDEF')
    expectProblem(answer, 'switched-off', 409)
  })

  it('holds whatever the policy document says', async () => {
    const host = makeHost(options)
    await setPolicy(host, { backupCodes: true })
    const enrolment = await enrol(host, ann)
    expect(enrolment.backupCodes).to.deep.equal([])
  })
})
