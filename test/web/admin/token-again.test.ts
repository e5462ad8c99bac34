// The attack: somebody has seen used codes of a token, and it is taken from its user and given back.

import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { TokenClaim } from '../../../lib/domain/serial-claim.js'
import type { RecordStore } from '../../../lib/index.js'
import { ADMIN, adminAt, adminVisit, makeAdminHost, otherAdmin } from '../../support/admin.js'
import { expectProblem, postJson } from '../../support/answers.js'
import { type Browser, giveCode } from '../../support/browser.js'
import {
  assign,
  CLOCK,
  clockCode,
  FOB,
  noCall,
  plainStore,
  press,
  SEED,
  TOKEN,
} from '../../support/fobs.js'
import { bob, type Host } from '../../support/host.js'
import { oathtool } from '../../support/oathtool.js'
import { MINUTE } from '../../support/records.js'
import { storeForTests } from '../../support/store-for-tests.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const KEY = randomBytes(32).toString('base64')

describe('A hardware token that is assigned again', () => {
  async function removeToken(browser: Browser, host: Host, id = 'ann'): Promise<void> {
    const [token] = (await recordOf(host, id)).authenticators
    const path = `${ADMIN}/users/${id}/authenticators/${token?.id}/remove`
    await postJson(browser, path).expect(200)
  }

  it('takes no code that it has taken before, of its counter', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    for (const used of [5, 6, 7]) {
      expectProblem(
        await giveCode(await pendingBrowser(host), await press(used)),
        'wrong-code',
        401,
      )
    }
    await giveCode(await pendingBrowser(host), await press(8)).expect(200)
  })

  const TYPO = { ...FOB, secret: SEED.replace(/0$/, '1') }

  async function expectUsed(host: Host, counter: number): Promise<void> {
    const answer = await giveCode(await pendingBrowser(host), await press(counter))
    expectProblem(answer, 'wrong-code', 401)
  }

  it('takes no used code after it was assigned with a mistyped seed, and removed again', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    for (let typed = 0; typed < 2; typed += 1) {
      await assign(browser, TYPO).expect(200)
      await removeToken(browser, host)
    }
    await assign(browser, FOB).expect(200)
    await expectUsed(host, 7)
    await giveCode(await pendingBrowser(host), await press(8)).expect(200)
  })

  it('leaves its number as it was where the assignment is refused', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    for (const nth of [1, 2, 3, 4, 5]) {
      const secret = `${nth}`.padEnd(40, '7')
      await assign(browser, { ...FOB, serial: `B-${nth}`, secret }).expect(200)
    }
    const before = await host.store.findSerial?.('A-1')
    expect((await assign(browser, TYPO)).status).not.to.equal(200)
    expect(await host.store.findSerial?.('A-1')).to.deep.equal(before)
  })

  for (const moment of ['findSerial', 'writeSerial'] as const) {
    it(`takes no used code where it is removed while it is assigned again, after ${moment}`, async () => {
      const whole = storeForTests()
      const { findSerial = noCall, writeSerial = noCall } = whole
      let meanwhile: (() => Promise<void>) | null = null
      const interrupt = async (now: typeof moment) => {
        if (now !== moment) return
        const run = meanwhile
        meanwhile = null
        await run?.()
      }
      const store: RecordStore = {
        ...plainStore(whole),
        findSerial: async (serial) => {
          const found = await findSerial(serial)
          await interrupt('findSerial')
          return found
        },
        writeSerial: async (claim, version) => {
          const isWritten = await writeSerial(claim, version)
          await interrupt('writeSerial')
          return isWritten
        },
      }
      const { host, browser } = await adminVisit({ store })
      await assign(browser, FOB).expect(200)
      await giveCode(await pendingBrowser(host), await press(7)).expect(200)
      meanwhile = () => removeToken(browser, host)
      await assign(browser, FOB).expect(200)
      expect((await recordOf(host)).authenticators).to.have.length(1)
      await expectUsed(host, 7)
    })
  }

  it('takes no code that it has taken before, of its clock', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, CLOCK).expect(200)
    const used = await clockCode(host.system.now())
    await giveCode(await pendingBrowser(host), used).expect(200)
    await removeToken(browser, host)
    await assign(browser, CLOCK).expect(200)
    expectProblem(await giveCode(await pendingBrowser(host), used), 'wrong-code', 401)
    host.system.advance(MINUTE)
    await giveCode(await pendingBrowser(host), await clockCode(host.system.now())).expect(200)
  })

  it('takes none at another user either, nor after it was removed twice without a code', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB, `${ADMIN}/users/bob/token`).expect(200)
    const used = await giveCode(await pendingBrowser(host, bob), await press(7))
    expectProblem(used, 'wrong-code', 401)
    await giveCode(await pendingBrowser(host, bob), await press(8)).expect(200)
  })

  it('works after its counter was mistyped, and it was removed and assigned again', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, { ...FOB, counter: 123_456 }).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(5)).expect(200)
    await removeToken(browser, host)
    await assign(browser, { ...FOB, counter: 123_456 }).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    const used = await giveCode(await pendingBrowser(host), await press(5))
    expectProblem(used, 'wrong-code', 401)
    await giveCode(await pendingBrowser(host), await press(6)).expect(200)
  })

  function losableClaims() {
    const claims = new Map<string, TokenClaim>()
    const store: RecordStore = {
      ...plainStore(storeForTests()),
      findSerial: async (name) => claims.get(name) ?? null,
      writeSerial: async (claim, expected) => {
        if ((claims.get(claim.serial)?.version ?? 0) !== expected) return false
        claims.set(claim.serial, claim)
        return true
      },
    }
    return { claims, store }
  }

  // The attack: the claim of its number is lost (a stray DEL), and one fob opens two accounts.
  it('is nobody else’s after the claim of its number was lost, until it is gone', async () => {
    const { claims, store } = losableClaims()
    const { host, browser } = await adminVisit({ store })
    const ofBob = `${ADMIN}/users/bob/token`
    await assign(browser, FOB).expect(200)
    expect(claims.delete('A-1')).to.equal(true)
    for (const [serial, field] of [
      ['A-1', 'serial'],
      ['A-7', 'secret'],
    ]) {
      const refused = await assign(browser, { ...FOB, serial }, ofBob)
      expectProblem(refused, 'malformed-request', 400)
      expect(refused.body).to.include({ field })
    }
    await assign(browser, FOB).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB, ofBob).expect(200)
    // Nobody has it: a claim that was lost then keeps it from nobody.
    await removeToken(browser, host, 'bob')
    claims.delete('A-1')
    await assign(browser, FOB, ofBob).expect(200)
  })

  // The attack: the claim of its number is lost (a stray DEL) before it is removed, and its place with it.
  for (const serial of ['A-1', 'A-7']) {
    it(`takes no used code after the claim of its number was lost, assigned as ${serial}`, async () => {
      const { claims, store } = losableClaims()
      const { host, browser } = await adminVisit({ store })
      await assign(browser, { ...FOB, counter: 0 }).expect(200)
      await giveCode(await pendingBrowser(host), await press(7)).expect(200)
      expect(claims.delete('A-1')).to.equal(true)
      await removeToken(browser, host)
      await assign(browser, { ...FOB, serial, counter: 0 }).expect(200)
      await expectUsed(host, 7)
      await giveCode(await pendingBrowser(host), await press(8)).expect(200)
      await removeToken(browser, host)
      await assign(browser, { ...FOB, counter: 0 }).expect(200)
      await expectUsed(host, 8)
    })
  }

  it('begins anew with another seed', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, { ...FOB, secret: '02'.repeat(20) }).expect(200)
    const far = await oathtool('--hotp', '--counter=90', '02'.repeat(20))
    await giveCode(await pendingBrowser(host), far).expect(200)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(5)).expect(200)
  })

  it('keeps its place though another seed was refused under its number meanwhile', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    const other = await assign(browser, { ...FOB, secret: '02'.repeat(20) })
    expectProblem(other, 'malformed-request', 400)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    const used = await giveCode(await pendingBrowser(host), await press(7))
    expectProblem(used, 'wrong-code', 401)
  })

  const fresh = '00'.repeat(20)
  const BOBS = `${ADMIN}/users/bob/token`

  // The attack: the serial number was mistyped, and the fob is assigned once more under the right one.
  it('takes no used code under another serial number, of its counter or of its clock', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    await assign(browser, { ...FOB, serial: 'A-7', counter: 0 }).expect(200)
    await expectUsed(host, 7)
    await giveCode(await pendingBrowser(host), await press(8)).expect(200)
    await removeToken(browser, host)
    await assign(browser, CLOCK).expect(200)
    const used = await clockCode(host.system.now())
    await giveCode(await pendingBrowser(host), used).expect(200)
    await removeToken(browser, host)
    await assign(browser, { ...CLOCK, serial: 'T-61' }, BOBS).expect(200)
    const again = await giveCode(await pendingBrowser(host, bob), used)
    expectProblem(again, 'wrong-code', 401)
  })

  it('takes no used code as one of eight digits: its last six are known', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    await removeToken(browser, host)
    await assign(browser, { ...FOB, digits: 8 }).expect(200)
    const eight = (counter: number) => oathtool('--hotp', '--digits=8', `-c${counter}`, SEED)
    expectProblem(await giveCode(await pendingBrowser(host), await eight(7)), 'wrong-code', 401)
    await giveCode(await pendingBrowser(host), await eight(8)).expect(200)
  })

  // The attack: HMAC fills a key with zeros, and hashes one that is longer than its block: the same codes.
  it('has one seed, in whatever length it is written', async () => {
    const { host, browser } = await adminVisit()
    const zeros = `${SEED}${'00'.repeat(12)}`
    await assign(browser, { ...FOB, secret: zeros }).expect(200)
    await giveCode(await pendingBrowser(host), await press(7)).expect(200)
    const beside = await assign(browser, { ...FOB, serial: 'A-7' })
    expectProblem(beside, 'malformed-request', 400)
    expect(beside.body).to.include({ field: 'secret' })
    expectProblem(await assign(browser, { ...FOB, serial: 'A-7' }, BOBS), 'malformed-request', 400)
    await assign(browser, FOB).expect(200)
    expect((await recordOf(host)).authenticators, 'the token it has').to.have.length(1)
    await removeToken(browser, host)
    await assign(browser, FOB).expect(200)
    await expectUsed(host, 7)
    const long = '61'.repeat(65)
    const hashed = createHash('sha1').update(Buffer.from(long, 'hex')).digest('hex')
    await assign(browser, { ...FOB, secret: long, serial: 'A-8' }, BOBS).expect(200)
    const same = await assign(browser, { ...FOB, secret: hashed, serial: 'A-9' })
    expectProblem(same, 'malformed-request', 400)
  })

  // The attack: one fob opens two accounts, and its used code of one is good at the other.
  it('is nobody else’s under another number until it is gone', async () => {
    const { host, browser } = await adminVisit()
    await assign(browser, FOB).expect(200)
    const refused = await assign(browser, { ...FOB, serial: 'A-7' }, BOBS)
    expectProblem(refused, 'malformed-request', 400)
    expect(refused.body).to.include({
      field: 'secret',
      detail: 'This user, or another one, has a device with this seed already.',
    })
    expect(await host.store.find('bob')).to.equal(null)
    expect(await host.store.findSerial?.('A-7'), 'the number').to.equal(null)
    await removeToken(browser, host)
    await assign(browser, { ...FOB, serial: 'A-7' }, BOBS).expect(200)
    expectProblem(await assign(browser, FOB), 'malformed-request', 400)
  })

  it('has one number, however many processes assign it under several at once', async () => {
    const store = storeForTests()
    const hosts = [makeAdminHost({ store, keys: [KEY] }), makeAdminHost({ store, keys: [KEY] })]
    const [one, other] = hosts as [Host, Host]
    const admins = [(await adminAt(one)).browser, (await adminAt(other, otherAdmin)).browser]
    for (let round = 0; round < 10; round += 1) {
      const secret = `${10 + round}`.repeat(20)
      const answers = await Promise.all(
        admins.map((browser, nth) =>
          assign(
            browser,
            { ...FOB, secret, serial: `R-${round}-${nth}` },
            nth === 0 ? TOKEN : BOBS,
          ),
        ),
      )
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([200, 400])
      for (const [index, id] of ['ann', 'bob'].entries()) {
        const held = (await store.find(id))?.authenticators ?? []
        expect(held.length, id).to.equal(answers[index]?.status === 200 ? 1 : 0)
        if (held.length > 0) await removeToken(admins[0] as Browser, one, id)
      }
    }
  })

  // The attack: the claim is of another seed than the token, and what is noted of used codes is of that seed.
  it('takes no used code where two processes assigned two seeds under one number at once', async () => {
    const whole = storeForTests()
    const { writeSerial = noCall } = whole
    let racing = false
    let isHeld: () => void = () => undefined
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      isHeld = resolve
    })
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const first: RecordStore = {
      ...plainStore(whole),
      write: async (record, version) => {
        if (racing && record.userId === 'ann') {
          isHeld()
          await released
        }
        return whole.write(record, version)
      },
    }
    let isThrough: Promise<unknown> = Promise.resolve()
    const second: RecordStore = {
      ...plainStore(whole),
      writeSerial: async (claim, version) => {
        const isWritten = await writeSerial(claim, version)
        release()
        await isThrough
        return isWritten
      },
    }
    const one = makeAdminHost({ store: first, keys: [KEY] })
    const { browser } = await adminAt(one)
    const other = makeAdminHost({ store: second, keys: [KEY] })
    const admin = (await adminAt(other, otherAdmin)).browser
    racing = true
    const assigned = assign(browser, FOB).then((answer) => answer)
    isThrough = assigned
    await held
    await assign(admin, { ...FOB, secret: fresh })
    release()
    expect((await assigned).status).to.equal(200)
    racing = false
    await giveCode(await pendingBrowser(one), await press(7)).expect(200)
    await removeToken(browser, one)
    await assign(browser, FOB).expect(200)
    await expectUsed(one, 7)
  })
})
