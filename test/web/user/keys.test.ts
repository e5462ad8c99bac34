// The attacks: somebody with the password signs in by a signature that was made for another challenge,
// session, site, user or key, or was used already.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import {
  expectMalformed,
  expectProblem,
  getJson,
  postForm,
  postJson,
} from '../../support/answers.js'
import { giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, bob } from '../../support/host.js'
import {
  answerWith,
  askedAt,
  CHALLENGE,
  creationOf,
  FRESH,
  hostWithKeys,
  ORIGIN,
  pendingOf,
  postAnswer,
  SETUP,
  setUpKey,
} from '../../support/keys.js'
import { softwareKey, type Twist } from '../../support/software-key.js'
import { recordOf } from '../../support/visits.js'

const SETTINGS = '/second-step/'

describe('a security key', () => {
  it('is a second step by itself: set up without an app, it signs in', async () => {
    const host = hostWithKeys()
    const { key, browser, backupCodes } = await setUpKey(host)
    expect(backupCodes).to.have.length(10)
    const { body } = await getJson(browser, SETTINGS).expect(200)
    expect(body).to.include({ enrolled: true, method: 'webauthn' })
    expect(body.authenticators).to.have.length(1)
    expect(body.authenticators[0]).to.include({ type: 'webauthn', serial: null, synced: false })

    const again = await pendingOf(host)
    const asked = await getJson(again, CHALLENGE).expect(200)
    expect(asked.body.methods).to.deep.equal(['webauthn', 'backup-code'])
    const { allowCredentials, ...options } = asked.body.webauthn
    expect(allowCredentials).to.deep.equal([
      { type: 'public-key', id: key.credentialId, transports: ['usb'] },
    ])
    expect(options).to.have.all.keys('challenge', 'timeout', 'rpId', 'userVerification')
    expect(options).to.include({ rpId: 'acme.example', userVerification: 'discouraged' })
    expect(Buffer.from(options.challenge, 'base64url')).to.have.length(32)
    const answer = await postAnswer(again, key.sign(asked.body.webauthn)).expect(200)
    expect(answer.body).to.include({ status: 'signed-in', method: 'webauthn' })
    expect((await again.get('/inside')).body).to.deep.equal({ user: 'ann', status: 'verified' })
  })

  it('is asked in the options as the standard wants it, and registered once', async () => {
    const host = hostWithKeys()
    const browser = await pendingOf(host)
    const options = await creationOf(browser)
    expect(options.rp).to.deep.equal({ id: 'acme.example', name: 'Acme' })
    expect(options.attestation).to.equal('none')
    expect(options.excludeCredentials).to.deep.equal([])
    expect(Buffer.from(options.user.id, 'base64url')).to.have.length(32)
    expect(options.user.id).to.not.include('ann')
    expect(await creationOf(browser), 'a reload shows the same').to.deep.equal(options)
  })

  it('stands beside others, which have the same name for the user; each signs in', async () => {
    const host = hostWithKeys()
    const { key, browser } = await setUpKey(host)
    const fresh = key.sign(await askedAt(browser, FRESH))
    const begun = await postJson(browser, '/second-step/authenticators', {
      credential: fresh,
      type: 'webauthn',
    }).expect(200)
    const { options } = begun.body
    expect(options.excludeCredentials.map(({ id }: { id: string }) => id)).to.deep.equal([
      key.credentialId,
    ])
    // A browser that does not listen: the same key once more.
    const twice = await postJson(browser, SETUP, { credential: key.register(options) })
    expectProblem(twice, 'wrong-code', 401)
    const anew = await creationOf(browser)
    expect(anew.challenge).to.not.equal(options.challenge)
    const other = softwareKey({ origin: ORIGIN, backupEligible: true, backedUp: true })
    const credential = other.register(anew)
    await postJson(browser, SETUP, { credential, name: 'Spare' }).expect(200)
    const { authenticators } = await recordOf(host)
    const handles = authenticators.map((one) => Reflect.get(one, 'handle'))
    expect(handles).to.have.length(2)
    expect(new Set(handles).size).to.equal(1)
    const { body } = await getJson(browser, SETTINGS)
    expect(body.authenticators[1]).to.include({ name: 'Spare', synced: true })
    for (const one of [key, other]) {
      expect((await answerWith(await pendingOf(host), one)).status).to.equal(200)
    }
  })

  it('makes a session fresh, and is a proof wherever one stands', async () => {
    const host = hostWithKeys()
    const { key, browser } = await setUpKey(host)
    host.system.advance(10 * MINUTE)
    const proof = async () => key.sign(await askedAt(browser, FRESH))
    const fresh = await postJson(browser, FRESH, { credential: await proof() }).expect(200)
    expect(fresh.body.status).to.equal('fresh')
    const codes = await postJson(browser, '/second-step/backup-codes', {
      credential: await proof(),
    })
    expect(codes.body.backupCodes).to.have.length(10)
    const { id = '' } = (await recordOf(host)).authenticators[0] ?? {}
    const shown = await postJson(browser, '/second-step/show-key', {
      credential: await proof(),
      id,
    })
    expectProblem(shown, 'switched-off', 409)
    const changed = await postJson(browser, '/second-step/change-key', {
      credential: await proof(),
      id,
    }).expect(200)
    const next = softwareKey({ origin: ORIGIN })
    const confirmed = { credential: next.register(changed.body.options) }
    await postJson(browser, SETUP, confirmed).expect(200)
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(401)
    expect((await answerWith(await pendingOf(host), next)).status).to.equal(200)
    const last = next.sign(await askedAt(browser, FRESH))
    const off = await postJson(browser, '/second-step/disable', { credential: last }).expect(200)
    expect(off.body.status).to.equal('disabled')
  })

  it('signs in from a form, whose field is the text of the answer', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const credential = JSON.stringify(key.sign(await askedAt(browser)))
    const answer = await postForm(browser, CHALLENGE, { code: '', credential })
    expect(answer.status).to.equal(303)
    expect((await browser.get('/inside')).status).to.equal(200)
  })

  it('that was removed signs in no more', async () => {
    const host = hostWithKeys()
    const { key, browser } = await setUpKey(host)
    const begun = await postJson(browser, '/second-step/authenticators', {
      credential: key.sign(await askedAt(browser, FRESH)),
      type: 'webauthn',
    }).expect(200)
    const other = softwareKey({ origin: ORIGIN })
    const added = { credential: other.register(begun.body.options) }
    await postJson(browser, SETUP, added).expect(200)
    const { id = '' } = (await recordOf(host)).authenticators[0] ?? {}
    const proof = { credential: other.sign(await askedAt(browser, FRESH)) }
    await postJson(browser, `/second-step/authenticators/${id}/remove`, proof).expect(200)
    const pending = await pendingOf(host)
    expect((await askedAt(pending)).allowCredentials).to.have.length(1)
    expectWrong(await answerWith(pending, key))
  })

  it('works while codes are locked, and the codes of its user stay as guessable as before', async () => {
    const host = hostWithKeys()
    const { key, browser } = await setUpKey(host)
    const begun = await postJson(browser, '/second-step/authenticators', {
      credential: key.sign(await askedAt(browser, FRESH)),
      type: 'totp',
    }).expect(200)
    const { virtualAuthenticator } = await import('../../../lib/testing/index.js')
    const app = virtualAuthenticator(begun.body.uri)
    const code = app.code(host.system.now())
    await postJson(browser, SETUP, { code }).expect(200)
    for (let miss = 0; miss < 20; miss += 1) {
      await giveCode(await pendingOf(host), '000000')
      host.system.advance(61 * MINUTE)
    }
    const pending = await pendingOf(host)
    expect((await giveCode(pending, app.code(host.system.now()))).status).to.equal(429)
    expect((await answerWith(pending, key)).status).to.equal(200)
  })
})

function expectWrong(answer: { status: number; body: { code?: string } }): void {
  expect([answer.status, answer.body.code]).to.deep.equal([401, 'wrong-code'])
}

describe('a wrong answer of a security key', () => {
  const twists: Readonly<Record<string, Twist>> = {
    'another origin': { origin: 'https://acme.example.evil.test' },
    'a page in a frame of another origin': { crossOrigin: true },
    'another relying party': { rpId: 'evil.test' },
    'another challenge': { challenge: randomBytes(32).toString('base64url') },
    'a set-up': { type: 'webauthn.create' },
    'nobody present': { present: false },
    'another key than it names': { signedBy: softwareKey({ origin: ORIGIN }) },
    'a key that nobody has': { credentialId: randomBytes(16).toString('base64url') },
    'another user': { userHandle: randomBytes(32).toString('base64url') },
    'a key that has become synced': { backupEligible: true, backedUp: true },
  }
  for (const [name, twist] of Object.entries(twists)) {
    it(`opens nothing: of ${name}`, async () => {
      const host = hostWithKeys()
      const { key } = await setUpKey(host)
      const browser = await pendingOf(host)
      expectWrong(await answerWith(browser, key, twist))
      expect((await browser.get('/inside')).status).to.equal(401)
      expect(await recordOf(host)).to.have.nested.property('attempts.misses.length', 0)
    })
  }

  it('uses its challenge up: the right answer to it comes too late', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const asked = await askedAt(browser)
    expectWrong(await postAnswer(browser, key.sign(asked, { present: false })))
    expectWrong(await postAnswer(browser, key.sign(asked)))
    const anew = await askedAt(browser)
    expect(anew.challenge).to.not.equal(asked.challenge)
    await postAnswer(browser, key.sign(anew)).expect(200)
  })

  it('counts in the pending login, which ends after five', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    for (let miss = 0; miss < 5; miss += 1) {
      expectWrong(await answerWith(browser, key, { present: false }))
    }
    const late = await postAnswer(browser, key.sign({ challenge: 'AAAA', rpId: 'acme.example' }))
    expect([late.status, late.body.code]).to.deep.equal([401, 'sign-in-again'])
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
  })

  it('is that to a challenge of more than five minutes ago', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const asked = await askedAt(browser)
    host.system.advance(5 * MINUTE + 1)
    expectWrong(await postAnswer(browser, key.sign(asked)))
  })

  it('is that to the challenge of another session, and that of another purpose', async () => {
    const host = hostWithKeys()
    const { key, browser: inside } = await setUpKey(host)
    const [one, other] = [await pendingOf(host), await pendingOf(host)]
    const asked = await askedAt(one)
    await askedAt(other)
    expectWrong(await postAnswer(other, key.sign(asked)))
    const fresh = await askedAt(inside, FRESH)
    expectWrong(await postAnswer(one, key.sign(fresh)))
    const atFresh = key.sign(await askedAt(one))
    expectWrong(await postJson(inside, FRESH, { credential: atFresh }))
  })

  it('is that to a challenge of an earlier login in this session', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const asked = await askedAt(browser)
    const edited = Object.entries(Reflect.get(host.sessions, 'sessions') as Record<string, string>)
      .map(([id, text]) => ({ id, session: JSON.parse(text) }))
      .find(({ session }) => session.secondStep?.challenges?.login?.challenge === asked.challenge)
    if (edited === undefined) throw new Error('no session has the challenge')
    edited.session.secondStep.challenges.login.owner = 'another login'
    await new Promise<void>((resolve) =>
      host.sessions.set(edited.id, edited.session, () => resolve()),
    )
    expectWrong(await postAnswer(browser, key.sign(asked)))
  })

  it("is that of another user's key", async () => {
    const host = hostWithKeys()
    await setUpKey(host)
    const { key: bobs } = await setUpKey(host, { user: bob })
    expectWrong(await answerWith(await pendingOf(host), bobs))
  })

  it('is one that was accepted before, however often it comes back, and costs nothing', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const credential = key.sign(await askedAt(browser))
    await postAnswer(browser, credential).expect(200)
    const pending = await pendingOf(host)
    await askedAt(pending)
    for (let time = 0; time < 7; time += 1) expectWrong(await postAnswer(pending, credential))
    expect((await answerWith(pending, key)).status).to.equal(200)
  })
})

describe('a copy of a security key', () => {
  it('suspends the key, whoever comes second; the owner is told, and other ways go on', async () => {
    const host = hostWithKeys()
    const { key, backupCodes } = await setUpKey(host)
    const told: unknown[] = []
    host.secondStep.events.on('authenticator-suspended', (event) => told.push(event.method))
    const copy = key.clone()
    expect((await answerWith(await pendingOf(host), copy)).status).to.equal(200)
    expectProblem(await answerWith(await pendingOf(host), key), 'sign-in-again', 401)
    expect(told).to.deep.equal(['webauthn'])
    const pending = await pendingOf(host)
    const asked = await getJson(pending, CHALLENGE)
    expect(asked.body.webauthn).to.equal(null)
    expect(asked.body.methods).to.deep.equal(['backup-code'])
    await giveCode(pending, backupCodes[0]).expect(200)
  })

  // The attack: a thief with the password and a copy of the key signs in before the owner does, and stays.
  it('loses the session that it has opened, as every session and login of that user ends', async () => {
    const host = hostWithKeys()
    const { key, browser: owner } = await setUpKey(host)
    const thief = await pendingOf(host)
    expect((await answerWith(thief, key.clone())).status).to.equal(200)
    expect((await thief.get('/inside')).status).to.equal(200)
    const waiting = await pendingOf(host)
    await answerWith(await pendingOf(host), key)
    expect((await thief.get('/inside')).status).to.equal(401)
    expect((await owner.get('/inside')).status).to.equal(401)
    expectProblem(await getJson(waiting, CHALLENGE), 'sign-in-again', 401)
  })

  it('is told to the owner by mail, with what still signs them in', async () => {
    const mails: { subject: string; text: string }[] = []
    const owner = { ...ann, email: 'ann@acme.example' }
    const transport = { sendMail: async (mail: (typeof mails)[number]) => void mails.push(mail) }
    const host = hostWithKeys({
      users: [owner],
      options: {
        users: { findById: async () => owner },
        mail: { transport, from: 'Acme <no-reply@acme.example>' },
      },
    })
    const { key } = await setUpKey(host)
    const copy = key.clone()
    await answerWith(await pendingOf(host), key)
    await answerWith(await pendingOf(host), copy)
    await host.secondStep.close()
    const told = mails.filter(({ subject }) => subject.includes('copy of your security key'))
    expect(told).to.have.length(1)
    expect(told[0]?.text)
      .to.include('Your backup codes keep working')
      .and.to.include('You were signed out everywhere')
      .and.to.include('Remove the key')
  })

  it('is not seen in a forged answer with a low counter, which suspends nothing', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
    const forged = { counter: 0, signedBy: softwareKey({ origin: ORIGIN }) }
    expectWrong(await answerWith(await pendingOf(host), key, forged))
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
  })

  // The clock of the process that asked is ahead of that of the one that let the owner in meanwhile.
  it('is not seen in an answer that came after another login', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const slow = await pendingOf(host)
    host.system.advance(50_000)
    const credential = key.sign(await askedAt(slow))
    host.system.advance(-20_000)
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
    expectWrong(await postAnswer(slow, credential))
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
  })

  it('is not seen where a key does not count', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host, { making: { counts: false } })
    for (let time = 0; time < 2; time += 1) {
      expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
    }
  })
})

describe('user verification', () => {
  it('is required where the host wants it, of new keys and of answers', async () => {
    const host = hostWithKeys({ options: { webauthn: { userVerification: 'required' } } })
    const browser = await pendingOf(host)
    const options = await creationOf(browser)
    expect(options.authenticatorSelection?.userVerification).to.equal('required')
    const touched = softwareKey({ origin: ORIGIN })
    const refused = await postJson(browser, SETUP, { credential: touched.register(options) })
    expectWrong(refused)
    const { key } = await setUpKey(host, { making: { verified: true } })
    const pending = await pendingOf(host)
    expect((await askedAt(pending)).userVerification).to.equal('required')
    expectWrong(await answerWith(pending, key, { verified: false }))
    expect((await answerWith(pending, key)).status).to.equal(200)
  })
})

describe('a new security key', () => {
  const twists: Readonly<Record<string, Twist>> = {
    'another origin': { origin: 'https://evil.test' },
    'a frame of another origin': { crossOrigin: true },
    'another relying party': { rpId: 'evil.test' },
    'another challenge': { challenge: randomBytes(32).toString('base64url') },
    'a login': { type: 'webauthn.get' },
    'nobody present': { present: false },
  }
  for (const [name, twist] of Object.entries(twists)) {
    it(`is not set up by an answer of ${name}`, async () => {
      const host = hostWithKeys()
      const browser = await pendingOf(host)
      const key = softwareKey({ origin: ORIGIN })
      const credential = key.register(await creationOf(browser), twist)
      expectWrong(await postJson(browser, SETUP, { credential }))
      expect((await recordOf(host)).authenticators).to.deep.equal([])
    })
  }

  it('is not set up by the right answer to a challenge that had a wrong one', async () => {
    const host = hostWithKeys()
    const browser = await pendingOf(host)
    const options = await creationOf(browser)
    const key = softwareKey({ origin: ORIGIN })
    expectWrong(
      await postJson(browser, SETUP, { credential: key.register(options, { rpId: 'x' }) }),
    )
    expectWrong(await postJson(browser, SETUP, { credential: key.register(options) }))
    const credential = key.register(await creationOf(browser))
    await postJson(browser, SETUP, { credential }).expect(200)
  })

  it('is not set up in a pending login of somebody who has a second step', async () => {
    const host = hostWithKeys()
    await setUpKey(host)
    const browser = await pendingOf(host)
    expectProblem(await getJson(browser, `${SETUP}?type=webauthn`), 'code-required', 401)
    const credential = softwareKey({ origin: ORIGIN }).register({
      challenge: 'AAAA',
      rp: { id: 'acme.example', name: 'Acme' },
      user: { id: 'AAAA', name: 'ann', displayName: 'ann' },
      pubKeyCredParams: [],
    })
    expectProblem(await postJson(browser, SETUP, { credential }), 'code-required', 401)
  })
})

describe('an answer that no browser gives', () => {
  it('is malformed or wrong, and never a failure', async () => {
    const host = hostWithKeys()
    const { key } = await setUpKey(host)
    const browser = await pendingOf(host)
    const good = key.sign(await askedAt(browser))
    const { response } = good
    const malformed: readonly unknown[] = [
      5,
      true,
      [],
      [good],
      {},
      'text',
      '{',
      'null',
      { ...good, id: undefined },
      { ...good, id: 5 },
      { ...good, id: '' },
      { ...good, id: 'A'.repeat(1365), rawId: 'A'.repeat(1365) },
      { ...good, rawId: 'other' },
      { ...good, type: 'password' },
      { ...good, response: null },
      { ...good, response: [] },
      { ...good, response: { ...response, clientDataJSON: 5 } },
      { ...good, response: { ...response, clientDataJSON: 'AAAA' } },
      { ...good, response: { ...response, clientDataJSON: textOf('null') } },
      { ...good, response: { ...response, clientDataJSON: textOf('{"challenge":5}') } },
      { ...good, response: { ...response, signature: '=+/' } },
      { ...good, response: { ...response, signature: undefined } },
      { ...good, response: { ...response, authenticatorData: {} } },
      { ...good, response: { ...response, userHandle: 5 } },
    ]
    for (const credential of malformed) {
      expectMalformed(await postJson(browser, CHALLENGE, { credential }), 'credential')
    }
    const both = await postJson(browser, CHALLENGE, { credential: good, code: '123456' })
    expectMalformed(both, 'credential')
    for (const change of [
      { signature: 'AAAA' },
      { authenticatorData: 'AAAA' },
      { clientDataJSON: textOf('{"challenge":"AAAA"}') },
      { clientDataJSON: textOf(`{"challenge":"${(await askedAt(browser)).challenge}"}`) },
    ]) {
      const credential = { ...good, response: { ...response, ...change } }
      expectWrong(await postJson(browser, CHALLENGE, { credential }))
      await passFirstStep(browser, ann)
      await askedAt(browser)
    }
  })

  it('is malformed at a set-up too', async () => {
    const host = hostWithKeys()
    const browser = await pendingOf(host)
    const key = softwareKey({ origin: ORIGIN })
    const good = key.register(await creationOf(browser))
    const { response } = good
    for (const credential of [
      {},
      'text',
      { ...good, response: { ...response, attestationObject: 5 } },
    ]) {
      expectMalformed(await postJson(browser, SETUP, { credential }), 'credential')
    }
    expectMalformed(await postJson(browser, SETUP, { code: '123456' }), 'credential')
    await postJson(browser, SETUP, { credential: good }).expect(200)
  })

  it('says which kind of answer there is, to somebody who has keys alone', async () => {
    const host = hostWithKeys()
    await setUpKey(host)
    const browser = await pendingOf(host)
    expectMalformed(await giveCode(browser, '123456'), 'code')
  })
})

function textOf(json: string): string {
  return Buffer.from(json).toString('base64url')
}

describe('security keys, where the host has none', () => {
  it('are neither set up nor asked', async () => {
    const host = hostWithKeys({ options: { webauthn: undefined } as never })
    const browser = await pendingOf(host)
    expectProblem(await getJson(browser, `${SETUP}?type=webauthn`), 'switched-off', 409)
  })
})
