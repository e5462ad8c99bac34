// An admin gives a user a hardware token. The attacks: its seed comes back in an answer, a mail or the log; one
// token opens two accounts; and a token that lies in the post opens anything by itself.

import { expect } from 'chai'
import { type Mail, memoryAuditLog, type RecordStore } from '../../../lib/index.js'
import { isIn } from '../../support/actions.js'
import { ADMIN, adminVisit, refusalsIn, seenBy } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import {
  assign,
  BASE32,
  CLOCK,
  clockCode,
  FOB,
  noCall,
  press,
  SEED,
  TOKEN,
} from '../../support/fobs.js'
import { ann, type Host } from '../../support/host.js'
import { oathtool } from '../../support/oathtool.js'
import { DAY, MINUTE, SECOND } from '../../support/records.js'
import { storeForTests } from '../../support/store-for-tests.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

/** What is kept of the user, but for its version. */
async function kept(host: Host, id = 'ann') {
  const { version: _, writeId: __, ...rest } = await recordOf(host, id)
  return rest
}

describe('A hardware token that an admin assigns', () => {
  it('is proved by its first code at the next login; until then the app works (HOTP, oathtool)', async () => {
    const { host, browser } = await adminVisit()
    const app = await enrol(host, ann)
    const session = browserOf(host)
    await signIn(session, ann, app)
    const answer = await assign(browser, FOB).expect(200)
    expect(answer.body).to.deep.equal({ state: 'on' })
    expect(await isIn(session), 'every session ends').to.equal(false)
    host.system.advance(30 * SECOND)
    const byApp = await giveCode(await pendingBrowser(host), app.code()).expect(200)
    expect(byApp.body).to.include({ method: 'totp' })
    // A hundred ahead: somebody has played with it.
    const proof = await giveCode(await pendingBrowser(host), await press(105)).expect(200)
    expect(proof.body).to.include({ status: 'signed-in', method: 'hotp' })
    const far = await giveCode(await pendingBrowser(host), await press(117))
    expectProblem(far, 'wrong-code', 401)
    await giveCode(await pendingBrowser(host), await press(116)).expect(200)
    host.system.advance(30 * SECOND)
    await giveCode(await pendingBrowser(host), app.code()).expect(200)
  })

  it('is one of eight digits, a minute and SHA-256 (TOTP, oathtool), its seed in hex', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, CLOCK).expect(200)
    const login = await pendingBrowser(host)
    const six = await giveCode(login, '123456')
    expectProblem(six, 'malformed-request', 400)
    expect(six.body.detail).to.match(/8 digits/)
    const code = await clockCode(host.system.now())
    const answer = await giveCode(login, code).expect(200)
    expect(answer.body).to.include({ status: 'signed-in', method: 'totp' })
    expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
    host.system.advance(MINUTE)
    const next = await clockCode(host.system.now())
    await giveCode(await pendingBrowser(host), next).expect(200)
  })

  it('lets nobody in by the password alone, also who had no second step', async () => {
    const { host, browser } = await adminVisit()
    const session = browserOf(host)
    await passFirstStep(session, ann).expect(302)
    expect(await isIn(session)).to.equal(true)
    await assign(browser, FOB).expect(200)
    expect(await isIn(session)).to.equal(false)
    const login = browserOf(host)
    await passFirstStep(login, ann)
    expect(await isIn(login)).to.equal(false)
    const page = await getPage(login, '/second-step/challenge').expect(200)
    expect(page.text).to.include('Type the code that your device shows')
    await giveCode(login, await press(5)).expect(200)
    expect(await isIn(login)).to.equal(true)
  })

  it('ends a set-up that was owed', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${ADMIN}/users/ann/reset`).expect(200)
    expect(await seenBy(browser, 'ann')).to.include({ state: 'must-set-up' })
    await assign(browser, FOB).expect(200)
    expect(await seenBy(browser, 'ann')).to.include({ state: 'on' })
  })

  it('shows its seed nowhere again', async () => {
    const { host, browser } = await adminVisit()
    const form = { ...FOB, reason: 'lost the phone' }
    const page = await postForm(browser, TOKEN, form).expect(303)
    const user = await getPage(browser, page.headers.location ?? '').expect(200)
    expect(user.text).to.include('Done: the token is assigned.')
    const mistyped = await assign(browser, { ...FOB, secret: `${SEED}x` }).expect(400)
    const wrong = await postForm(browser, TOKEN, { ...FOB, serial: 'B-2', digits: '5' }).expect(400)
    expect(wrong.text).to.include('value="B-2"')
    const login = await pendingBrowser(host)
    await giveCode(login, await press(5)).expect(200)
    const shown = [
      mistyped,
      wrong,
      user,
      await getPage(login, '/second-step/'),
      await getJson(login, '/second-step/'),
    ]
    const code = await press(6)
    shown.push(await postJson(login, '/second-step/show-key', { code }))
    const log = await host.store.audit?.list({ user: null, cursor: null, limit: 100 })
    const texts = [
      ...shown.map(({ text }) => text),
      JSON.stringify(log),
      JSON.stringify(await kept(host)),
    ]
    for (const text of texts) {
      expect(text).not.to.include(SEED)
      expect(text).not.to.include(BASE32)
      expect(text).not.to.include('12345678901234567890')
    }
    const assigned = log?.entries.find(({ type }) => type === 'token-assigned')
    expect(assigned).to.deep.include({ user: 'ann', method: 'hotp', reason: 'lost the phone' })
    expect(assigned?.detail).to.deep.equal({ name: null, serial: 'A-1' })
  })

  it('has a key that is shown to nobody: the settings do not offer it', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    const login = await pendingBrowser(host)
    await giveCode(login, await press(5)).expect(200)
    const settings = await getPage(login, '/second-step/').expect(200)
    expect(settings.text).not.to.include('/second-step/show-key')
    const shown = await postJson(login, '/second-step/show-key', { code: await press(6) })
    expectProblem(shown, 'switched-off', 409)
    expect(shown.body.detail).to.equal('The key of a hardware token is never shown.')
  })

  it('is mailed with its serial number and without its seed, and the user knows whom to ask', async () => {
    const mails: Mail[] = []
    const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
    const mail = { from: 'no-reply@acme.example', transport }
    const { host, browser } = await adminVisit({ mail, lost: false })
    await assign(browser, FOB).expect(200)
    await host.secondStep.close()
    const [sent] = mails.filter(({ subject }) => subject.includes('hardware token'))
    expect(sent?.to).to.include('ann@acme.example')
    expect(sent?.text).to.include('the serial number A-1').and.not.include(BASE32)
    expect(JSON.stringify(mails)).not.to.include(SEED)
  })

  it('is the only way in of a user without a device, and the form and the mail say so', async () => {
    const mails: Mail[] = []
    const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
    const mail = { from: 'no-reply@acme.example', transport }
    const { host, browser } = await adminVisit({ mail, lost: false })
    const form = async () => (await getPage(browser, `${ADMIN}/users/ann`).expect(200)).text
    expect(await form())
      .to.include('can’t sign in without the token')
      .and.not.include('devices are kept')
    await assign(browser, FOB).expect(200)
    expect(await form())
      .to.include('other devices are kept')
      .and.not.include('without the token')
    const second = { ...FOB, serial: 'A-2', secret: '01'.repeat(20) }
    await assign(browser, second).expect(200)
    await host.secondStep.close()
    const sent = mails.filter(({ subject }) => subject.includes('hardware token'))
    const [only, further] = sent.map(({ text }) => text)
    expect(only).to.include('can’t sign in without it').and.not.include('keep working')
    expect(further).to.include('other devices keep working').and.not.include('without it')
  })

  // The attack: a store that fails between the claim and the record leaves half of a token behind.
  it('is assigned whole or not at all where the store fails, and again when it works', async () => {
    const whole = storeForTests()
    let failing: keyof RecordStore | null = null
    const fails = <A extends unknown[], R>(name: keyof RecordStore, call: (...given: A) => R) => {
      return (...given: A): R => {
        if (failing === name) throw new Error('the store is away')
        return call(...given)
      }
    }
    const { findSerial = noCall, writeSerial = noCall } = whole
    const store: RecordStore = {
      find: fails('find', whole.find),
      write: fails('write', whole.write),
      findPolicy: whole.findPolicy,
      writePolicy: whole.writePolicy,
      list: whole.list,
      findSerial: fails('findSerial', findSerial),
      writeSerial: fails('writeSerial', writeSerial),
      audit: whole.audit ?? memoryAuditLog(),
    }
    const { browser } = await adminVisit({ store })
    for (const name of ['findSerial', 'writeSerial', 'write'] as const) {
      failing = name
      expectProblem(await assign(browser, FOB), 'unavailable', 503)
      failing = null
      expect(await whole.find('ann')).to.equal(null)
    }
    await assign(browser, FOB).expect(200)
    expect((await whole.find('ann'))?.authenticators).to.have.length(1)
  })

  const TAKES: Readonly<Record<string, RegExp>> = {
    type: /TOTP or HOTP/,
    secret: /seed/,
    serial: /serial number/,
    digits: /6 or 8/,
    period: /30 or 60/,
    counter: /from 0 to 4503599627370496/,
    algorithm: /SHA-1, SHA-256 or SHA-512/,
  }
  const wrong: readonly (readonly [what: string, field: string, body: object])[] = [
    ['no type', 'type', { type: undefined }],
    ['another type', 'type', { type: 'sms' }],
    ['a type that is a list', 'type', { type: ['hotp'] }],
    ['no seed', 'secret', { secret: '' }],
    ['a seed of 104 bits', 'secret', { secret: '00'.repeat(13) }],
    ['a seed in another alphabet', 'secret', { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1' }],
    ['a seed that was cut short', 'secret', { secret: SEED.slice(0, -1) }],
    ['a seed that is no text', 'secret', { secret: 12345678901234 }],
    ['a seed of 1,032 bits', 'secret', { secret: '00'.repeat(129) }],
    ['no serial number', 'serial', { serial: ' ' }],
    ['a serial number with a line break', 'serial', { serial: 'A\n1' }],
    ['a serial number of 65 characters', 'serial', { serial: 'A'.repeat(65) }],
    ['five digits', 'digits', { digits: 5 }],
    ['digits as a text', 'digits', { digits: '6' }],
    ['a period of 0', 'period', { type: 'totp', period: 0 }],
    ['a period of 45', 'period', { type: 'totp', period: 45 }],
    ['a counter of -1', 'counter', { counter: -1 }],
    ['a counter of 2^64', 'counter', { counter: 2 ** 64 }],
    ['a counter of 2^52 + 1', 'counter', { counter: 2 ** 52 + 1 }],
    ['a counter that is no whole number', 'counter', { counter: 0.5 }],
    ['another algorithm', 'algorithm', { algorithm: 'md5' }],
  ]
  for (const [what, field, body] of wrong) {
    it(`is refused with ${what}, and nothing is half done`, async () => {
      const { host, browser } = await adminVisit()
      const before = await kept(host, 'ada')
      const answer = await assign(browser, { ...FOB, ...body })
      expectProblem(answer, 'malformed-request', 400)
      expect(answer.body.field).to.equal(field)
      expect(answer.body.detail, 'what the field takes').to.match(TAKES[field] ?? /^$/)
      expect(await host.store.find('ann')).to.equal(null)
      expect(await host.store.findSerial?.('A-1')).to.equal(null)
      expect(await kept(host, 'ada')).to.deep.equal(before)
      expect(await refusalsIn(host)).to.have.length(1)
    })
  }

  it('is given with a warning where its seed has less than 160 bits', async () => {
    const { browser } = await adminVisit()
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    await assign(browser, { ...FOB, secret: '01'.repeat(14) }).expect(200)
    await new Promise(setImmediate)
    process.off('warning', note)
    const [warning] = warnings.filter(({ message }) => message.includes('hardware token'))
    await postForm(browser, TOKEN, { ...FOB, serial: 'A-2', secret: '02'.repeat(14) }).expect(303)
    const page = await getPage(browser, `${ADMIN}/users/ann`).expect(200)
    expect(page.text).to.include('less than the recommended 160 bits')
    expect(warning?.message).to.include('A-1').and.include('112 bits').and.not.include('0101')
  })

  it('is one user’s: its serial number is in use, in any case, until it is gone', async () => {
    const { host, browser } = await adminVisit()
    const bobs = `${ADMIN}/users/bob/token`
    await assign(browser, FOB).expect(200)
    for (const serial of ['A-1', 'a-1', ' A-1 ']) {
      const answer = await assign(browser, { ...FOB, serial }, bobs)
      expectProblem(answer, 'malformed-request', 400)
      expect(answer.body).to.include({ field: 'serial', detail: 'This serial number is in use.' })
    }
    expect(await host.store.find('bob')).to.equal(null)
    await postJson(browser, `${ADMIN}/users/ann/disable`).expect(200)
    await assign(browser, FOB, bobs).expect(200)
    expectProblem(await assign(browser, FOB), 'malformed-request', 400)
  })

  // A fob was found in the car park: whose is it?
  it('leads from its serial number to its user, in the search and where it is in use', async () => {
    const { browser } = await adminVisit()
    const bobs = `${ADMIN}/users/bob/token`
    const found = async (search: string, more = '') => {
      const path = `${ADMIN}/users?search=${encodeURIComponent(search)}${more}`
      const { body } = await getJson(browser, path).expect(200)
      return body.users.map(({ id }: { id: string }) => id)
    }
    await assign(browser, { ...FOB, serial: 'Otto' }).expect(200)
    expect(await found(' oTTo ')).to.deep.equal(['ann', 'otto'])
    expect(await found('otto', '&limit=1')).to.deep.equal(['ann'])
    expect(await found('otto', '&state=off')).to.deep.equal(['otto'])
    expect(await found('ott0')).to.deep.equal([])
    const refused = await postForm(browser, bobs, { ...FOB, serial: 'otto' }).expect(400)
    expect(refused.text).to.include('This serial number is in use: Ann has the token.')
    const json = await assign(browser, { ...FOB, serial: 'otto' }, bobs)
    expect(json.body.detail).to.equal('This serial number is in use.')
    await postJson(browser, `${ADMIN}/users/ann/disable`).expect(200)
    expect(await found('otto'), 'whoever had it once').to.deep.equal(['otto'])
  })

  it('is assigned once to one user, however often the form is sent', async () => {
    const { host, browser } = await adminVisit()
    const answers = await Promise.all(Array.from({ length: 5 }, () => assign(browser, FOB)))
    for (const { status, body } of answers)
      expect([status, body]).to.deep.equal([200, { state: 'on' }])
    expect((await recordOf(host)).authenticators).to.have.length(1)
    const { record } = { record: await kept(host) }
    await assign(browser, { ...FOB, counter: 90 }).expect(200)
    expect(await kept(host), 'nothing moves back').to.deep.equal(record)
    const other = await assign(browser, { ...FOB, secret: '01'.repeat(20) })
    expectProblem(other, 'malformed-request', 400)
  })

  it('is one user’s, however many admins assign it at once', async () => {
    const { host, browser } = await adminVisit()
    for (let round = 0; round < 10; round += 1) {
      const body = { ...FOB, serial: `R-${round}`, secret: `${10 + round}`.repeat(20) }
      const answers = await Promise.all(
        ['ann', 'bob', 'otto'].map((id) => assign(browser, body, `${ADMIN}/users/${id}/token`)),
      )
      const owners = await Promise.all(
        ['ann', 'bob', 'otto'].map(async (id) => {
          const found = await host.store.find(id)
          return found?.authenticators.some(({ serial }) => serial === `R-${round}`) ?? false
        }),
      )
      expect(owners.filter((owns) => owns)).to.have.length(1)
      expect(answers.map(({ status }) => status === 200)).to.deep.equal(owners)
      if (round % 3 !== 2) continue
      for (const id of ['ann', 'bob', 'otto']) {
        await postJson(browser, `${ADMIN}/users/${id}/disable`)
      }
    }
  })

  it('is the fifth that makes codes at most', async () => {
    const { browser } = await adminVisit()
    for (let nth = 1; nth <= 5; nth += 1) {
      const secret = `0${nth}`.repeat(20)
      await assign(browser, { ...FOB, serial: `A-${nth}`, secret }).expect(200)
    }
    const sixth = await assign(browser, { ...FOB, serial: 'A-6' })
    expectProblem(sixth, 'already-enrolled', 409)
    const page = await getPage(browser, `${ADMIN}/users/ann`).expect(200)
    expect(page.text).not.to.include('/users/ann/token')
    // The number is free.
    await assign(browser, { ...FOB, serial: 'A-6' }, `${ADMIN}/users/bob/token`).expect(200)
  })

  // The attack: each of several tokens that wait in the post has a hundred codes that are right.
  it('is looked for far ahead where no other one is', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await assign(browser, { ...FOB, serial: 'A-2', secret: '02'.repeat(20) }).expect(200)
    const far = await oathtool('--hotp', '--counter=50', '02'.repeat(20))
    expectProblem(await giveCode(await pendingBrowser(host), far), 'wrong-code', 401)
    const near = await oathtool('--hotp', '--counter=15', '02'.repeat(20))
    await giveCode(await pendingBrowser(host), near).expect(200)
  })

  it('is refused by a store that cannot keep serial numbers, which names what is missing', async () => {
    const { findSerial: _, writeSerial: __, ...rest } = storeForTests()
    const store: RecordStore = rest
    const { browser } = await adminVisit({ store })
    const page = await getPage(browser, `${ADMIN}/users/ann`).expect(200)
    expect(page.text).not.to.include('/users/ann/token')
    expect((await assign(browser, FOB)).status).to.equal(500)
    expect(await store.find('ann')).to.equal(null)
  })

  it('frees the number of a request that was killed before it wrote the record', async () => {
    const { host, browser } = await adminVisit()
    const claimedAt = host.system.now()
    const claim = {
      serial: 'A-1',
      version: 1,
      writeId: 'w',
      userId: 'bob',
      claimedAt,
      keyName: ' KEY:0',
    }
    await host.store.writeSerial?.({ ...claim, isSettled: false }, 0)
    expectProblem(await assign(browser, FOB), 'malformed-request', 400)
    const old = { ...claim, version: 2, writeId: 'x', claimedAt: claimedAt - 10 * MINUTE }
    await host.store.writeSerial?.({ ...old, isSettled: false }, 1)
    await assign(browser, FOB).expect(200)
  })

  // The attack: a code that was used at one of two devices with one seed opens the other.
  it('is not assigned where the user has its seed already, under another number or in an app', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    for (const again of [
      { ...FOB, serial: 'A-01', counter: 0 },
      { ...FOB, serial: 'T-1', type: 'totp', secret: SEED },
    ]) {
      const refused = await assign(browser, again)
      expectProblem(refused, 'malformed-request', 400)
      expect(refused.body).to.include({ field: 'secret' })
    }
    expect((await recordOf(host)).authenticators).to.have.length(1)
  })

  it('is not kept from its user for a year by the claim of a machine whose clock was ahead', async () => {
    const { host, browser } = await adminVisit()
    const claimedAt = host.system.now() + 365 * DAY
    const claim = { serial: 'A-1', version: 1, writeId: 'w', userId: 'bob', claimedAt }
    await host.store.writeSerial?.({ ...claim, isSettled: false, keyName: ' KEY:0' }, 0)
    await assign(browser, FOB).expect(200)
  })
})
