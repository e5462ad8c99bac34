// The mistake: somebody who is looking at new codes reloads the page before writing them down. The form
// is sent again, its code is used up, and the codes are gone; an admin's reload makes a second set, and
// the one that was just read out on the phone is dead.

import { expect } from 'chai'
import type { Response } from 'supertest'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn, letsIn } from '../../support/actions.js'
import { ADMIN, adminAt, makeAdminHost, otherAdmin } from '../../support/admin.js'
import { expectSafeHeaders, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob, makeHost } from '../../support/host.js'
import { editSession, sessionsOf } from '../../support/sessions.js'
import { recordOf, setPolicy, signedInVisit, wrongCodeOf } from '../../support/visits.js'

const SETUP = '/second-step/setup'
const NEW = '/second-step/backup-codes'
const SAVED = `${NEW}/saved`

function codesOn({ text }: Response): readonly string[] {
  return [...text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code)
}

/** Ann looks at the codes of the first set-up. */
async function atSetUp() {
  const host = makeHost()
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  const { body } = await getJson(browser, SETUP).expect(200)
  const code = virtualAuthenticator(body.secret).code(host.system.now())
  const page = await postForm(browser, SETUP, { code }).expect(200)
  const key = { secret: body.secret }
  return { host, browser, key, code, page, codes: codesOn(page), path: SETUP, over: 409 }
}

/** Ann has just made new codes and looks at them. */
async function atNewCodes() {
  const visit = await signedInVisit()
  const code = visit.enrolment.code()
  const page = await postForm(visit.browser, NEW, { code }).expect(200)
  const key = visit.enrolment
  return { ...visit, key, code, page, codes: codesOn(page), path: NEW, over: 401 }
}

const places = { 'of a set-up': atSetUp, 'that were just made': atNewCodes }
for (const [name, look] of Object.entries(places)) {
  describe(`the page of codes ${name}, loaded again`, () => {
    it('shows the same codes for a minute, and nothing is made or counted', async () => {
      const { host, browser, code, page, codes, path, over } = await look()
      expect(codes).to.have.length(10)
      const before = await recordOf(host)
      host.system.advance(MINUTE - 1)
      const again = await postForm(browser, path, { code }).expect(200)
      expectSafeHeaders(again)
      expect(again.text).to.equal(page.text)
      expect(await recordOf(host)).to.deep.equal(before)
      host.system.advance(1)
      const late = await postForm(browser, path, { code }).expect(over)
      expect(codesOn(late)).to.deep.equal([])
      expect(await recordOf(host)).to.deep.equal(before)
      for (const shown of codes) expect(await letsIn(host, shown)).to.equal(true)
    })

    for (const [step, leave] of Object.entries<(browser: Browser) => unknown>({
      'said that they are saved': (browser) => postForm(browser, SAVED, { saved: '1' }).expect(303),
      'opened the settings': (browser) => getPage(browser, '/second-step/').expect(200),
      'opened a page of the host’s': (browser) => getPage(browser, '/inside').expect(200),
    })) {
      it(`shows none once the user has ${step}`, async () => {
        // Whoever sits down next presses "back" and "reload".
        const { host, browser, code, path, over } = await look()
        await leave(browser)
        expect(JSON.stringify(sessionsOf(host))).to.not.include('sealed')
        expect(codesOn(await postForm(browser, path, { code }).expect(over))).to.deep.equal([])
      })
    }

    it('shows them after what the page itself loads', async () => {
      const { browser, code, codes, path } = await look()
      for (const asset of ['/second-step/assets/style.css', '/favicon.ico']) {
        await browser
          .get(asset)
          .set('Accept', 'text/css,*/*;q=0.1')
          .set('Sec-Fetch-Mode', 'no-cors')
      }
      expect(codesOn(await postForm(browser, path, { code }).expect(200))).to.deep.equal(codes)
    })

    it('shows them at a machine whose clock is behind by less than a minute', async () => {
      const { host, browser, code, codes, path } = await look()
      host.system.advance(-30 * SECOND)
      expect(codesOn(await postForm(browser, path, { code }).expect(200))).to.deep.equal(codes)
      host.system.advance(-31 * SECOND)
      expect(codesOn(await postForm(browser, path, { code }))).to.deep.equal([])
    })

    it('shows none for another code, which counts as ever', async () => {
      const { host, browser, key, path, over } = await look()
      const code = wrongCodeOf(host, key)
      const before = (await recordOf(host)).attempts.consecutive
      expect(codesOn(await postForm(browser, path, { code }).expect(over))).to.deep.equal([])
      const counted = path === NEW ? 1 : 0
      expect((await recordOf(host)).attempts.consecutive).to.equal(before + counted)
    })

    it('shows none in another session, also of the same user, and not where it was copied to', async () => {
      const { host, browser, code, path } = await look()
      host.system.advance(30 * SECOND)
      const [first] = sessionsOf(host).filter(({ secondStep }) => secondStep?.shown !== undefined)
      const shown = first?.secondStep?.shown
      expect(shown).to.not.equal(undefined)
      const other = browserOf(host)
      await passFirstStep(other, ann)
      const [backupCode] = codesOn(await postForm(browser, path, { code }).expect(200))
      await postJson(other, '/second-step/challenge', { code: backupCode }).expect(200)
      expect(codesOn(await postForm(other, path, { code }))).to.deep.equal([])
      editSession(host, (session) => {
        if (shown !== undefined) session.secondStep = { ...session.secondStep, shown }
      })
      expect(codesOn(await postForm(other, path, { code }))).to.deep.equal([])
    })

    it('shows none that are dead by now: others were made elsewhere', async () => {
      const { host, browser, code, codes, path, over } = await look()
      const other = browserOf(host)
      await passFirstStep(other, ann)
      await postJson(other, '/second-step/challenge', { code: codes[0] }).expect(200)
      await postJson(other, NEW, { code: codes[1] }).expect(200)
      expect(codesOn(await postForm(browser, path, { code }).expect(over))).to.deep.equal([])
    })

    // Printed from here, they would be a sheet that opens nothing.
    it('shows none once the second step was turned off in another tab', async () => {
      const { host, browser, key, code, codes, path } = await look()
      host.system.advance(30 * SECOND)
      const now = virtualAuthenticator(key.secret).code(host.system.now())
      await postJson(browser, '/second-step/disable', { code: now }).expect(200)
      expect((await recordOf(host)).backupCodes).to.equal(null)
      const again = await postForm(browser, path, { code })
      expect(again.status).to.be.within(400, 410)
      for (const dead of codes) expect(again.text).to.not.include(dead)
      expect(again.text).to.not.include('Your second step is on')
    })

    it('shows none while the policy accepts no backup codes', async () => {
      const { host, browser, code, path, page } = await look()
      await setPolicy(host, { backupCodes: false })
      const again = await postForm(browser, path, { code }).expect(409)
      expect(codesOn(again)).to.deep.equal([])
      await setPolicy(host, { backupCodes: true })
      expect((await postForm(browser, path, { code }).expect(200)).text).to.equal(page.text)
    })

    it('leaves nothing in the session that can be read', async () => {
      const { host, code, codes } = await look()
      const kept = JSON.stringify([sessionsOf(host), await recordOf(host)])
      expect(kept).to.include('sealed')
      for (const shown of [...codes, code]) {
        expect(kept).to.not.include(shown)
        expect(kept).to.not.include(shown.replaceAll('-', ''))
        expect(kept).to.not.include(Buffer.from(shown).toString('base64').slice(0, -4))
      }
    })

    it('answers a reload alone: JSON is refused as ever', async () => {
      const { browser, code, path, over } = await look()
      const { body } = await postJson(browser, path, { code }).expect(over)
      expect(body).to.not.have.property('backupCodes')
    })

    for (const odd of [[], {}, 'x', 7, null, [null], [{ page: 7 }], [{ page: 'setup', at: 'x' }]]) {
      it(`takes ${JSON.stringify(odd)} in a session for nothing`, async () => {
        const { host, browser, code, path, over } = await look()
        editSession(host, (session) => Reflect.set(session.secondStep ?? {}, 'shown', odd))
        await postForm(browser, path, { code }).expect(over)
        expect(await isIn(browser)).to.equal(true)
      })
    }
  })
}

describe('new codes whose session can’t be saved', () => {
  for (const [name, fails] of Object.entries({
    rejects: (_id: string, _session: unknown, done: (error: Error) => void) =>
      done(new Error('away')),
    'does not answer': () => undefined,
  })) {
    it(`are shown all the same where the store ${name}: they are the only good ones now`, async () => {
      const { host, browser, enrolment } = await signedInVisit()
      Reflect.set(host.sessions, 'set', fails)
      const code = enrolment.code()
      const page = await postForm(browser, NEW, { code }).expect(200)
      Reflect.deleteProperty(host.sessions, 'set')
      expect(codesOn(page)).to.have.length(10)
      for (const shown of codesOn(page)) expect(await letsIn(host, shown)).to.equal(true)
    })
  }
})

describe('a change of key, loaded again', () => {
  it('shows the same codes, and that other sessions have ended', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    await postForm(browser, '/second-step/change-key', { code: enrolment.code() }).expect(303)
    const { body } = await getJson(browser, SETUP).expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    const page = await postForm(browser, SETUP, { code }).expect(200)
    expect(page.text).to.include('Everywhere else you have been signed out')
    expect((await postForm(browser, SETUP, { code }).expect(200)).text).to.equal(page.text)
  })
})

const ACTIONS = ['backup-codes', 'one-time-code'] as const
for (const action of ACTIONS) {
  describe(`an admin’s page after POST /users/:id/${action}, loaded again`, () => {
    const page = `${ADMIN}/users/ann`
    const path = `${page}/${action}`

    async function atCodes() {
      const host = makeAdminHost()
      const anns = await enrol(host, ann)
      await enrol(host, bob)
      const admin = await adminAt(host)
      const events: string[] = []
      host.secondStep.events.on('event', ({ type }) => events.push(type))
      const send = () => postForm(admin.browser, path, { reason: 'by phone' })
      const shown = await send().expect(200)
      return { host, anns, ...admin, events, send, shown, codes: codesOn(shown) }
    }

    /** What the page of the user says once, if anything. */
    const noteOn = async (browser: Browser) => {
      const { text } = await getPage(browser, page).expect(200)
      return /<p class="note" role="status">(.*)<\/p>/.exec(text)?.[1] ?? null
    }

    it('shows the same for a minute: no second set, no event, no mail', async () => {
      const { host, events, send, shown, codes } = await atCodes()
      expect(codes).to.have.length(action === 'backup-codes' ? 10 : 1)
      const before = await recordOf(host)
      host.system.advance(MINUTE - 1)
      const again = await send().expect(200)
      expectSafeHeaders(again)
      expect(again.text).to.equal(shown.text)
      expect(await recordOf(host)).to.deep.equal(before)
      expect(events).to.deep.equal([`${action}-made`])
    })

    it('makes none after that either, and says so; the next press does', async () => {
      const { host, browser, send, codes } = await atCodes()
      const before = await recordOf(host)
      host.system.advance(MINUTE)
      const late = await send().expect(303)
      expect(late.headers.location).to.equal(page)
      expect(await recordOf(host)).to.deep.equal(before)
      expect(await noteOn(browser)).to.include('can’t be shown again')
      expect(await noteOn(browser), 'once').to.equal(null)
      const others = codesOn(await send().expect(200))
      expect(others).to.have.length(codes.length)
      for (const code of others) expect(codes).to.not.include(code)
    })

    it('makes none where the admin has looked at another page meanwhile', async () => {
      const { host, browser, send } = await atCodes()
      const before = await recordOf(host)
      await getPage(browser, page).expect(200)
      expect(JSON.stringify(sessionsOf(host))).to.not.include('"sealed":"')
      await send().expect(303)
      expect(await recordOf(host)).to.deep.equal(before)
      expect(await noteOn(browser)).to.include('can’t be shown again')
    })

    it('shows none that are the user’s no more, and makes none', async () => {
      const { host, anns, send, codes } = await atCodes()
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      if (action === 'backup-codes') {
        await postJson(browser, '/second-step/challenge', { code: anns.code() }).expect(200)
        await postJson(browser, NEW, { code: codes[0] }).expect(200)
      } else {
        const used = await postJson(browser, '/second-step/challenge', { code: codes[0] })
        expect(used.body.status).to.equal('setup-required')
      }
      const before = await recordOf(host)
      expect((await send().expect(303)).headers.location).to.equal(page)
      expect(await recordOf(host)).to.deep.equal(before)
    })

    it('makes none after codes for somebody else', async () => {
      const { host, browser, send } = await atCodes()
      const before = await recordOf(host)
      const others = await postForm(browser, `${ADMIN}/users/bob/${action}`).expect(200)
      expect(codesOn(others)).to.not.be.empty
      await send().expect(303)
      expect(await recordOf(host)).to.deep.equal(before)
    })

    it('makes none where the admin has given a fresh code in another tab meanwhile', async () => {
      const { host, browser, enrolment, send } = await atCodes()
      const made = async () => {
        const { backupCodes, oneTimeCodes } = await recordOf(host)
        return { backupCodes, oneTimeCodes }
      }
      const before = await made()
      host.system.advance(5 * MINUTE)
      await postForm(browser, '/second-step/fresh', { code: enrolment.code() }).expect(303)
      expect((await send().expect(303)).headers.location).to.equal(page)
      expect(await made()).to.deep.equal(before)
    })

    it('makes them anew ten minutes later, to whoever presses', async () => {
      const { host, browser, enrolment, send, codes } = await atCodes()
      host.system.advance(10 * MINUTE)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
      const others = codesOn(await send().expect(200))
      for (const code of others) expect(codes).to.not.include(code)
    })

    it('takes no press for a reload that comes before it, where the clock was ahead', async () => {
      const host = makeAdminHost()
      await enrol(host, ann)
      const { browser } = await adminAt(host)
      const press = () => postForm(browser, path, { reason: 'by phone' })
      host.system.advance(4 * MINUTE)
      const codes = codesOn(await press().expect(200))
      host.system.advance(-4 * MINUTE)
      const others = codesOn(await press().expect(200))
      expect(others).to.have.length(codes.length)
      for (const code of others) expect(codes).to.not.include(code)
    })

    it('shows nothing to an admin who may not do it any more', async () => {
      const { host, send } = await atCodes()
      host.system.advance(5 * MINUTE)
      expect(codesOn(await send().expect(403))).to.deep.equal([])
    })

    it('does not cover another admin: their press makes codes', async () => {
      const { host, codes } = await atCodes()
      const other = await adminAt(host, otherAdmin)
      const made = codesOn(await postForm(other.browser, path).expect(200))
      expect(made).to.have.length(codes.length)
      for (const code of made) expect(codes).to.not.include(code)
    })

    it('answers a reload alone: JSON makes codes each time', async () => {
      const { browser, codes } = await atCodes()
      const { body } = await postJson(browser, path).expect(200)
      expect(JSON.stringify(body)).to.not.include(codes[0])
    })
  })
}
