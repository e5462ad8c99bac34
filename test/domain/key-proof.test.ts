// The attacks: one signature opens several doors, because sessions that race have not heard of each other; a
// flood of wrong answers makes the record forget the one that was accepted.

import { expect } from 'chai'
import { addMiss, attemptCaps } from '../../lib/domain/attempts.js'
import { judgeProof } from '../../lib/domain/proof.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { blankRecord } from '../../lib/domain/record.js'
import { isUsedChallenge, useUpChallenge } from '../../lib/domain/used-challenges.js'
import type { AskedChallenge, CeremonyChecks, KeyState } from '../../lib/factors/ceremony.js'
import { readProof } from '../../lib/factors/factors.js'
import type { WebauthnAuthenticator } from '../../lib/factors/webauthn/kept.js'
import { keysWith, NO_RULES } from '../support/proofs.js'
import { authenticatorWith, DAY, enrolledRecord, keyWith, MINUTE, NOW } from '../support/records.js'

const ASKED: AskedChallenge = {
  challenge: Buffer.alloc(32, 7).toString('base64url'),
  until: NOW + 5 * MINUTE,
  userVerification: 'discouraged',
}

/** Whatever is signed is so by a key in this state; null: the signature is wrong. */
function checksOf(state: Partial<KeyState> | null): CeremonyChecks {
  const good = { counter: 6, backupEligible: false, backedUp: false }
  return {
    assertion: async () => (state === null ? null : { ...good, ...state }),
    registration: async () => null,
  }
}

interface Given {
  readonly challenge?: string
  readonly id?: string
  readonly asked?: AskedChallenge | null
  readonly state?: Partial<KeyState> | null
  readonly now?: number
  readonly rpId?: string
}

async function judge(record: SecondStepRecord, given: Given = {}) {
  const { challenge = ASKED.challenge, id = 'AAAA', asked = ASKED, state = {}, now = NOW } = given
  const clientData = { type: 'webauthn.get', challenge }
  const response = {
    clientDataJSON: Buffer.from(JSON.stringify(clientData)).toString('base64url'),
    authenticatorData: 'AAAA',
    signature: 'AAAA',
  }
  const credential = { id, rawId: id, type: 'public-key', response }
  const proof = readProof({ credential })
  if (proof === null) throw new Error('no proof')
  const context = { ...NO_RULES, policy: { backupCodes: true, version: 1 }, pending: null }
  const { rpId = 'acme.example' } = given
  const relyingParty = { rpId, origins: [], userVerification: 'discouraged' as const }
  const ceremonies = { relyingParty, checks: checksOf(state), asked }
  return judgeProof(record, proof, context, { now, window: 1, keys: keysWith(), ceremonies })
}

const REPLAYED = { kind: 'wrong-code', counted: false }

const withKey = (parts: Partial<WebauthnAuthenticator> = {}) =>
  enrolledRecord({ authenticators: [keyWith(parts)] })

const WRONG = { kind: 'wrong-code', counted: true }
const USED = { kind: 'wrong-code', counted: false }

describe('the answer of a key', () => {
  it('is accepted once: the same write uses its challenge up', async () => {
    const first = await judge(withKey())
    expect(first.answer).to.include({ kind: 'accepted', method: 'webauthn' })
    expect(first.record.authenticators[0]).to.include({ counter: 6, lastUsedAt: NOW })
    // Another session that has the same challenge, as a copy that raced.
    const again = await judge(first.record, { state: { counter: 7 } })
    expect(again.answer).to.deep.equal(USED)
    expect(again.record).to.equal(first.record)
  })

  it('uses its challenge up where it is wrong, and then costs no more', async () => {
    const wrong = await judge(withKey(), { state: null })
    expect(wrong.answer).to.deep.equal(WRONG)
    expect(wrong.events).to.deep.equal([{ type: 'wrong-code', method: 'webauthn' }])
    expect((await judge(wrong.record)).answer).to.deep.equal(USED)
  })

  it('is wrong where the session has asked nothing, something else, or too long ago', async () => {
    for (const asked of [null, { ...ASKED, challenge: 'AAAA' }, { ...ASKED, until: NOW }]) {
      expect((await judge(withKey(), { asked })).answer).to.deep.equal(WRONG)
    }
    const ahead = { ...ASKED, until: NOW + 7 * MINUTE }
    expect((await judge(withKey(), { asked: ahead })).answer).to.deep.equal(WRONG)
  })

  it('is wrong of a key that is suspended, of another app, or of nobody', async () => {
    expect((await judge(withKey({ suspendedAt: NOW }))).answer).to.deep.equal(WRONG)
    expect((await judge(withKey(), { rpId: 'other.example' })).answer).to.deep.equal(WRONG)
    expect((await judge(withKey(), { id: 'DDDD' })).answer).to.deep.equal(WRONG)
    expect((await judge(enrolledRecord())).answer).to.deep.equal(WRONG)
    expect((await judge(blankRecord('ada'))).answer).to.deep.equal({ kind: 'not-enrolled' })
  })

  it('of a copy suspends that key alone, ends every session, and tells', async () => {
    const other = keyWith({ id: 'other', credentialId: 'EEEE', name: 'Spare' })
    const record = enrolledRecord({ authenticators: [keyWith(), other] })
    for (const counter of [5, 4, 0]) {
      const { answer, record: after, events } = await judge(record, { state: { counter } })
      expect(answer).to.deep.equal({ kind: 'sign-in-again' })
      expect(after.epoch).to.equal(record.epoch + 1)
      expect(after.authenticators).to.deep.equal([keyWith({ suspendedAt: NOW }), other])
      const detail = { name: null, serial: null }
      expect(events).to.deep.equal([
        { type: 'authenticator-suspended', method: 'webauthn', detail },
      ])
    }
  })

  // Two tabs asked, and the answers came the other way round: the key was suspended, and all sessions ended.
  it('suspends no key for an answer that was asked before its last use', async () => {
    const lastUsedAt = NOW - MINUTE
    const record = withKey({ lastUsedAt })
    const asked = (at: number) => ({ asked: { ...ASKED, until: at + 5 * MINUTE } })
    const state = { counter: 4 }
    const early = await judge(record, { ...asked(lastUsedAt - 1), state })
    expect(early.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    expect(early.record.authenticators).to.deep.equal(record.authenticators)
    const late = await judge(record, { ...asked(lastUsedAt), state })
    expect(late.answer).to.deep.equal({ kind: 'sign-in-again' })
  })

  // One process was ahead. What it had asked before the key's last use elsewhere seemed to be asked after it.
  it('goes by the use that was known when it was asked, whatever the clocks say', async () => {
    const state = { counter: 4 }
    for (const lastUsedAt of [NOW - MINUTE, NOW + 3 * DAY]) {
      const record = withKey({ lastUsedAt })
      const asked = (at: number) => ({ asked: { ...ASKED, uses: { [keyWith().id]: at } } })
      const late = await judge(record, { ...asked(NOW - 2 * MINUTE), state })
      expect(late.answer).to.deep.equal(WRONG)
      expect(late.record.authenticators).to.deep.equal(record.authenticators)
      const copied = await judge(record, { ...asked(lastUsedAt), state })
      expect(copied.answer).to.deep.equal({ kind: 'sign-in-again' })
    }
  })

  it('needs no counter, where it never had one', async () => {
    const none = { counter: 0 }
    expect((await judge(withKey(none), { state: none })).answer.kind).to.equal('accepted')
  })

  it('is not stopped by a lock of codes, and adds nothing to one', async () => {
    let { attempts } = enrolledRecord()
    for (let miss = 0; miss < 20; miss += 1) attempts = addMiss(attempts, attemptCaps(3), NOW)
    const record = enrolledRecord({ authenticators: [authenticatorWith(), keyWith()], attempts })
    expect((await judge(record)).answer.kind).to.equal('accepted')
    const { record: after } = await judge(record, { state: null })
    expect(after.attempts).to.equal(attempts)
  })
})

describe('the used challenges of a record', () => {
  const of = (at: number) => ({ challenge: `${at}`, until: NOW + 5 * MINUTE })

  it('are forgotten a minute after their time, and not before', () => {
    const record = useUpChallenge(withKey(), of(1), NOW)
    const later = useUpChallenge(record, of(2), NOW + 6 * MINUTE - 1)
    expect([isUsedChallenge(later, '1'), isUsedChallenge(later, '2')]).to.deep.equal([true, true])
    expect(isUsedChallenge(useUpChallenge(record, of(2), NOW + 6 * MINUTE), '1')).to.equal(false)
  })

  it('are noted of right answers, whatever flood of wrong ones comes', async () => {
    let record = withKey({ counter: 5 })
    record = (await judge(record)).record
    for (let at = 0; at < 25; at += 1) {
      const asked = { ...ASKED, challenge: Buffer.alloc(32, 100 + at).toString('base64url') }
      const flood = { challenge: asked.challenge, asked, state: null }
      record = (await judge(record, flood)).record
    }
    expect(record.usedChallenges).to.have.length(20)
    expect((await judge(record, { state: { counter: 9 } })).answer).to.deep.equal(REPLAYED)

    const asked = { ...ASKED, challenge: Buffer.alloc(32, 99).toString('base64url') }
    const next = { challenge: asked.challenge, asked, state: { counter: 7 } }
    const { answer, record: after } = await judge(record, next)
    expect(answer.kind).to.equal('accepted')
    expect((await judge(after, { ...next, state: { counter: 9 } })).answer).to.deep.equal(REPLAYED)
  })

  it('are a hundred at most, and then nothing is judged until the first is forgotten', async () => {
    let record = withKey()
    for (let at = 0; at < 100; at += 1) record = useUpChallenge(record, of(at), NOW)
    const until = NOW + 6 * MINUTE
    expect(await judge(record)).to.deep.equal({
      record,
      answer: { kind: 'blocked', until },
      events: [],
    })
    const asked = { ...ASKED, until: until + MINUTE }
    expect((await judge(record, { asked, now: until })).answer.kind).to.equal('accepted')
  })
})
