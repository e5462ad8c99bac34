// What a person who is locked out reads. A wrong text costs them their last tries, or a call to support.

import { expect } from 'chai'
import type { AuthenticateCallback } from 'passport'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { lostVisit, member } from '../../support/lost.js'
import {
  enrolledVisit,
  missTimes,
  pendingBrowser,
  pendingVisit,
  setPolicy,
  signedInVisit,
  wrongCodeOf,
} from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'
const NO_CODE = 'AAAAAA-AAAAAA-AAAAAA-AAAAAA'

describe('a backup code that did not work', () => {
  it('is not answered with what helps against a wrong clock', async () => {
    const { browser, enrolment } = await pendingVisit()
    const used = enrolment.backupCodes[0]
    for (const code of [NO_CODE, NO_CODE]) {
      const page = await postForm(browser, CHALLENGE, { code }).expect(401)
      expect(page.text).to.include('That backup code didn’t work').and.not.include('sets its clock')
      const json = await giveCode(browser, code).expect(401)
      expect(json.body.detail).to.include('That backup code didn’t work')
    }
    expect(used).to.be.a('string')
  })

  it('reads the same whether it was used or never was one', async () => {
    const { host, enrolment } = await enrolledVisit()
    const [used] = enrolment.backupCodes
    await giveCode(await pendingBrowser(host), used).expect(200)
    const again = await giveCode(await pendingBrowser(host), used).expect(401)
    const never = await giveCode(await pendingBrowser(host), NO_CODE).expect(401)
    expect(again.text).to.equal(never.text)
  })
})

describe('a backup code where none works', () => {
  // "This is switched off here", under the heading of the sign-in, read as if the sign-in were.
  it('is answered with what works instead, where the policy has none', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    await setPolicy(host, { backupCodes: false })
    const refused = await giveCode(browser, enrolment.backupCodes[0])
    expectProblem(refused, 'switched-off', 409)
    expect(refused.body.detail).to.contain('Type a code from your app or device')
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('is no longer offered after the last one', async () => {
    const { host, enrolment } = await enrolledVisit()
    for (const code of enrolment.backupCodes) {
      await giveCode(await pendingBrowser(host), code).expect(200)
    }
    const browser = await pendingBrowser(host)
    const { body } = await getJson(browser, CHALLENGE).expect(200)
    expect(body.methods).to.deep.equal(['totp'])
    expect((await getPage(browser, CHALLENGE)).text).to.not.include('id="backup-code"')
    const again = await giveCode(browser, enrolment.backupCodes[0]).expect(401)
    expect(again.body.detail).to.include('You have no backup codes that work')
  })
})

describe('an authenticator that waits', () => {
  async function blocked() {
    const visit = await enrolledVisit()
    await missTimes(5, { ...visit, browser: await pendingBrowser(visit.host) })
    return { ...visit, browser: await pendingBrowser(visit.host) }
  }

  it('is said to be blocked until a moment, with the form open that works now', async () => {
    const { host, browser, enrolment } = await blocked()
    const page = await postForm(browser, CHALLENGE, { code: enrolment.code() }).expect(429)
    const until = new Date(host.system.now() + MINUTE).toISOString().slice(0, 16)
    expect(page.text).to.match(new RegExp(`<time datetime="${until}[^"]*" data-local="long">`))
    expect(page.text).to.include('A backup code works now')
    expect(page.text).to.match(/<details class="other-way" open>/)
    expect(page.text).to.not.match(/about \d+ minute/)
    await giveCode(browser, enrolment.backupCodes[0]).expect(200)
  })

  it('does not mention backup codes to a user who has none left', async () => {
    const { browser, enrolment, host } = await blocked()
    const record = await host.store.find('ann')
    if (record === null) throw new Error('enrolled')
    const none = { ...record, backupCodes: null, version: record.version + 1, writeId: 'none' }
    await host.store.write(none, record.version)
    const page = await postForm(browser, CHALLENGE, { code: enrolment.code() }).expect(429)
    expect(page.text).to.not.include('backup code works now')
  })
})

describe('a form of the settings', () => {
  const RESET = '/second-step/reset'
  const formsOf = (text: string) =>
    text.match(/<form method="post" action="\/second-step\/reset">[\s\S]*?<\/form>/g) ?? []

  it('has digits alone on the keyboard for the app, and a form of its own for backup codes', async () => {
    const { browser } = await signedInVisit()
    const forms = formsOf((await getPage(browser, '/second-step/').expect(200)).text)
    expect(forms).to.have.length(2)
    expect(forms[0]).to.include('inputmode="numeric"').and.include('id="code-reset"')
    expect(forms[1]).to.include('inputmode="text"').and.include('id="backup-code-reset"')
  })

  it('keeps what was mistyped, in the form it was typed into', async () => {
    const { browser } = await signedInVisit()
    const short = formsOf((await postForm(browser, RESET, { code: '12345' }).expect(400)).text)
    expect(short[0]).to.include('value="12345"')
    expect(short[1]).to.not.include('value=')
    const page = await postForm(browser, RESET, { code: 'ABCDEF-ABC' }).expect(400)
    const [app, backup] = formsOf(page.text)
    expect(app).to.not.include('value=')
    expect(backup).to.include('value="ABCDEF-ABC"').and.include('aria-invalid="true"')
    expect(page.text).to.match(/<details class="other-way" open>/)
  })

  it('opens for backup codes while the app is blocked', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    for (let miss = 0; miss < 5; miss += 1) {
      await postForm(browser, RESET, { code: wrongCodeOf(host, enrolment) }).expect(401)
    }
    const page = await postForm(browser, RESET, { code: enrolment.code() }).expect(429)
    expect(page.text).to.include('A backup code works now')
    expect(page.text).to.match(/<details class="other-way" open>/)
  })
})

describe('a mistyped code of a set-up', () => {
  it('stays in the field, with what is missing', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await getPage(browser, '/second-step/setup').expect(200)
    const page = await postForm(browser, '/second-step/setup', { code: '12 34' }).expect(400)
    expect(page.text).to.include('value="12 34"').and.include('has 6 digits')
    expect(page.text).to.not.include('a backup code')
  })
})

describe('the strategy’s message', () => {
  it('is the text of the kind of code, as on the page', async () => {
    const told: unknown[] = []
    const { browser } = await pendingVisit({
      routes: ({ app, passport, secondStep }) => {
        passport.use(secondStep.strategy())
        app.post('/own-challenge', (req, res, next) => {
          const callback: AuthenticateCallback = (_error, _user, info) => {
            told.push(info)
            res.sendStatus(204)
          }
          passport.authenticate('second-step', callback)(req, res, next)
        })
      },
    })
    await postJson(browser, '/own-challenge', { code: NO_CODE }).expect(204)
    expect(told[0]).to.include({ code: 'wrong-code', triesLeft: 4 })
    expect(told[0]).to.have.property('message').that.includes('That backup code didn’t work')
  })
})

describe('the tries of a sign-in', () => {
  it('are said before the last, and the last miss leads to the sign-in at once', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const miss = () => postForm(browser, CHALLENGE, { code: wrongCodeOf(host, enrolment) })
    expect((await miss().expect(401)).text).to.not.include('left before')
    expect((await miss().expect(401)).text).to.not.include('left before')
    expect((await miss().expect(401)).text).to.include('You have 2 tries left')
    expect((await miss().expect(401)).text).to.include('You have one try left')
    const last = await miss().expect(401)
    expect(last.text).to.include('it was the last try').and.to.include('href="/login"')
    expect(last.text).to.not.include('name="code"')
  })

  // Who comes back to the page, in another tab or after a reload, must not guess how many are left.
  it('are told by the challenge too, and looking at it costs none', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const triesLeft = async () => (await getJson(browser, CHALLENGE).expect(200)).body.triesLeft
    for (let look = 0; look < 6; look += 1) expect(await triesLeft()).to.equal(5)
    expect((await getPage(browser, CHALLENGE)).text).to.not.include('left before')
    await missTimes(3, { host, browser, enrolment })
    expect(await triesLeft()).to.equal(2)
    expect((await getPage(browser, CHALLENGE)).text).to.include('You have 2 tries left')
    await missTimes(1, { host, browser, enrolment })
    expect(await triesLeft()).to.equal(1)
    expect((await getPage(browser, CHALLENGE)).text).to.include('You have one try left')
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('end for JSON clients as the wire has it: wrong-code, then sign-in-again', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const visit = { host, browser, enrolment }
    await missTimes(4, visit)
    const last = await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    expect(last.body.code).to.equal('wrong-code')
    const after = await giveCode(browser, enrolment.code()).expect(401)
    expect(after.body.code).to.equal('sign-in-again')
  })
})

describe('a mistyped code', () => {
  it('stays in the field, escaped, with what is missing', async () => {
    const { browser } = await pendingVisit()
    const page = await postForm(browser, CHALLENGE, { code: '12"><script>' }).expect(400)
    expect(page.text).to.include('value="12&#34;&gt;&lt;script&gt;"')
    expect(page.text).to.include('has 6 digits')
    const right = await postJson(browser, CHALLENGE, { code: '12' }).expect(400)
    expect(right.body).to.include({ code: 'malformed-request', field: 'code' })
  })

  it('is not kept where it was a wrong code: somebody may be looking on', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const code = wrongCodeOf(host, enrolment)
    const page = await postForm(browser, CHALLENGE, { code }).expect(401)
    expect(page.text).to.not.include(code)
  })
})

describe('the challenge', () => {
  it('names the account, for people who have several', async () => {
    const { browser } = await pendingVisit()
    const { text } = await browser.get(CHALLENGE).set('Accept', 'text/html')
    expect(text).to.include('You are signing in as <strong><bdi>Ann</bdi></strong>')
  })

  // Whoever knows name and password would read here what "Lost your code?" asks for.
  it('does not give the whole address away', async () => {
    const { browser } = await lostVisit()
    const { text } = await browser.get(CHALLENGE).set('Accept', 'text/html')
    expect(text).to.include('a•••@acme.example').and.not.include(member.email)
  })
})
