import { expect } from 'chai'
import {
  askMailReset,
  delayedMailReset,
  dropMailReset,
  endMailReset,
  isReadyDue,
  type MailReset,
  mailResetOf,
  openMailReset,
  pressMailReset,
  tellMailResetReady,
} from '../../lib/domain/mail-reset.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { confirmSetup } from '../../lib/domain/setup.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import { backupCode, judge, keysWith, oneTimeCode, otp } from '../support/proofs.js'
import {
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  HOUR,
  KEY_ID,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  recordWith,
  STEP_NOW,
  UNPROVEN,
  USER,
} from '../support/records.js'

const WHO = { ip: '192.0.2.7', userAgent: 'Firefox' }
const NEW = { id: 'reset', keyId: KEY_ID, addressDigest: 'address', digest: 'first', ...WHO }
const CANCELLED = { type: 'mail-reset-cancelled', method: null }

const asked = (notBefore = NOW, record = enrolledRecord()) =>
  deepFreeze(askMailReset(record, { ...NEW, notBefore }, NOW).record)
const resetOf = ({ mailReset }: SecondStepRecord): MailReset => {
  if (mailReset === null) throw new Error('there is no reset')
  return mailReset
}

describe('a reset by mail that is asked for', () => {
  it('can be used at once, for 30 minutes, where nothing delays it', () => {
    for (const notBefore of [0, NOW - 1, NOW]) {
      const { record, answer, events } = askMailReset(enrolledRecord(), { ...NEW, notBefore }, NOW)
      const times = { askedAt: NOW, usableAt: NOW, expiresAt: NOW + 30 * MINUTE }
      const whole = {
        id: 'reset',
        keyId: KEY_ID,
        addressDigest: 'address',
        digests: ['first'],
        ...WHO,
      }
      expect(record.mailReset).to.deep.equal({ ...whole, ...times, readyTold: true })
      expect(answer).to.equal(record.mailReset)
      const detail = { usableAt: new Date(NOW), expiresAt: new Date(NOW + 30 * MINUTE) }
      expect(events).to.deep.equal([{ type: 'mail-reset-asked', method: null, detail }])
    }
  })

  it('cannot be used before it was asked for, where the clock was ahead', () => {
    const record = asked()
    expect(openMailReset(record, NOW - MINUTE)).to.equal(record.mailReset)
    expect(openMailReset(record, NOW - MINUTE - 1)).to.equal(null)
    const command = { digests: ['first'], heldUntil: 0 }
    const pressed = pressMailReset(record, command, NOW - MINUTE - 1)
    expect(pressed.answer).to.deep.equal({ kind: 'link-expired' })
  })

  it('waits where it must, and is then good for a day', () => {
    for (const wait of [1, DAY, 3 * DAY]) {
      const reset = resetOf(asked(NOW + wait))
      expect(reset).to.include({ usableAt: NOW + wait, expiresAt: NOW + wait + DAY })
      expect(reset.readyTold).to.equal(false)
    }
  })

  it('ends the one before, unless that one waits or is ready after a wait', () => {
    const again = { ...NEW, id: 'again', digest: 'second', notBefore: NOW }
    expect(resetOf(askMailReset(asked(), again, NOW + 1).record).digests).to.deep.equal(['second'])
    const waiting = asked(NOW + DAY)
    for (const later of [0, DAY - 1, DAY, 2 * DAY - 1]) {
      const { record, answer, events } = askMailReset(waiting, again, NOW + later)
      expect(record).to.equal(waiting)
      expect([answer, events]).to.deep.equal([null, []])
    }
    expect(resetOf(askMailReset(waiting, again, NOW + 2 * DAY).record).id).to.equal('again')
  })

  it('is open until it expires, to the millisecond, and delayed only where it waits', () => {
    const [short, long] = [asked(), asked(NOW + DAY)]
    expect(openMailReset(short, NOW + 30 * MINUTE - 1)).to.equal(short.mailReset)
    expect(openMailReset(short, NOW + 30 * MINUTE)).to.equal(null)
    expect(delayedMailReset(short, NOW)).to.equal(null)
    expect(delayedMailReset(long, NOW)).to.equal(long.mailReset)
    expect(delayedMailReset(long, NOW + 2 * DAY - 1)).to.equal(long.mailReset)
    expect(delayedMailReset(long, NOW + 2 * DAY)).to.equal(null)
    expect(openMailReset(enrolledRecord(), NOW)).to.equal(null)
  })

  it('is known by a digest of its own, and by no other', () => {
    const record = asked()
    expect(mailResetOf(record, ['old key', 'first'], NOW)).to.equal(record.mailReset)
    expect(mailResetOf(record, ['second'], NOW)).to.equal(null)
    expect(mailResetOf(record, [], NOW)).to.equal(null)
    expect(mailResetOf(record, ['first'], NOW + 30 * MINUTE)).to.equal(null)
    expect(mailResetOf(enrolledRecord(), ['first'], NOW)).to.equal(null)
  })

  it('is dropped by its id where its mail cannot go out', () => {
    const record = asked()
    expect(dropMailReset(record, 'reset').mailReset).to.equal(null)
    expect(dropMailReset(record, 'another')).to.equal(record)
    const none = enrolledRecord()
    expect(dropMailReset(none, 'reset')).to.equal(none)
  })
})

describe('the button of a reset by mail', () => {
  const press = (record: SecondStepRecord, now: number, digest = 'first', heldUntil = 0) =>
    pressMailReset(record, { digests: [digest], heldUntil }, now)

  it('forgets all there is, ends every session, and asks for a set-up within a day', () => {
    const full = enrolledRecord({
      epoch: 4,
      pausedUntil: NOW + DAY,
      setup: { ...UNPROVEN, owner: 'o', secret: 's', startedAt: NOW, misses: 0, replaces: 'all' },
      oneTimeCodes: [{ id: 'c', keyId: KEY_ID, digest: 'd', expiresAt: NOW + DAY, usedAt: null }],
      setupGrant: { owner: 'o', until: NOW + MINUTE },
      attempts: { misses: [NOW - 1], consecutive: 1 },
      ended: [{ id: 'stamp', version: 1 }],
    })
    const { record, answer, events } = press(asked(NOW, full), NOW + 5)
    expect(answer).to.deep.equal({ kind: 'reset', epoch: 5, at: NOW + 5 })
    expect(events).to.deep.equal([{ type: 'mail-reset-done', method: null }])
    expect(record).to.deep.equal({
      ...recordWith(),
      version: full.version,
      writeId: full.writeId,
      epoch: 5,
      mustSetUp: { until: NOW + 5 + DAY, from: NOW + 5 },
    })
  })

  it('works at once at a machine whose clock is behind by less than a minute, where there is no wait', () => {
    const record = asked(NOW)
    expect(press(record, NOW - MINUTE / 2).answer.kind).to.equal('reset')
    expect(press(record, NOW - MINUTE - 1).answer.kind).to.equal('link-expired')
  })

  it('works for somebody whose time to set up is over, too', () => {
    const record = asked(NOW, recordWith({ epoch: 2, mustSetUp: { until: NOW - 1 } }))
    expect(press(record, NOW).record.mustSetUp).to.deep.equal({ until: NOW + DAY, from: NOW })
  })

  it('does nothing with a dead link', () => {
    for (const [record, now, digest] of [
      [asked(), NOW + 30 * MINUTE, 'first'],
      [asked(), NOW, 'second'],
      [enrolledRecord(), NOW, 'first'],
      [press(asked(), NOW).record, NOW, 'first'],
    ] as const) {
      const pressed = press(record, now, digest)
      expect(pressed).to.deep.equal({ record, answer: { kind: 'link-expired' }, events: [] })
      expect(pressed.record).to.equal(record)
    }
  })

  it('waits until its time, or until the host holds it no more, to the millisecond', () => {
    const record = asked(NOW + DAY)
    const early = press(record, NOW + DAY - 1)
    expect(early.record).to.equal(record)
    expect(early.answer).to.deep.equal({ kind: 'not-yet', availableAt: NOW + DAY })
    expect(press(record, NOW + DAY).answer.kind).to.equal('reset')
    const held = press(record, NOW + DAY, 'first', NOW + DAY + 1)
    expect(held.answer).to.deep.equal({ kind: 'not-yet', availableAt: NOW + DAY + 1 })
    expect(held.events).to.deep.equal([])
    expect(press(record, NOW + DAY + 1, 'first', NOW + DAY + 1).answer.kind).to.equal('reset')
  })
})

describe('the end of a reset by mail', () => {
  it('is told while it is open, and is silent when it has expired', () => {
    const record = asked()
    const last = endMailReset(record, NOW + 30 * MINUTE - 1)
    expect([last.record.mailReset, last.events]).to.deep.equal([null, [CANCELLED]])
    const late = endMailReset(record, NOW + 30 * MINUTE)
    expect([late.record.mailReset, late.events]).to.deep.equal([null, []])
    const none = enrolledRecord()
    expect(endMailReset(none, NOW)).to.deep.equal({ record: none, events: [] })
    expect(endMailReset(none, NOW).record).to.equal(none)
  })

  // Somebody who knows the password asks for a reset and waits; the owner signs in meanwhile.
  it('comes with any good second step', async () => {
    const record = asked(NOW + DAY, enrolledRecord())
    const byOtp = await judge(record, otp(codeOf(STEP_NOW)))
    const byBackupCode = await judge(record, backupCode('one'))
    const code = { id: 'c', keyId: KEY_ID, digest: 'admin', expiresAt: NOW + HOUR, usedAt: null }
    const pending = {
      ...{ id: 'p', userId: USER, epoch: 1, at: NOW, next: null, keepSessionInfo: false },
      ...{
        locale: null,
        passport: { instance: 0, user: USER },
        subject: NOBODY_SPECIAL,
        stampId: null,
        stampVersion: null,
      },
    }
    const withCode = deepFreeze({ ...record, oneTimeCodes: [code] })
    const byOneTimeCode = await judge(withCode, oneTimeCode('admin'), { pending })
    const setup = {
      ...UNPROVEN,
      owner: 'o',
      secret: 's',
      startedAt: NOW,
      misses: 0,
      replaces: 'all',
    } as const
    const bySetup = await confirmSetup(
      deepFreeze({ ...record, setup }),
      { owner: 'o', given: codeOf(STEP_NOW), id: 'new', name: null, backupCodes: null },
      { now: NOW, window: 1, keys: keysWith() },
    )
    for (const { record: next, events } of [byOtp, byBackupCode, byOneTimeCode, bySetup]) {
      expect(next.mailReset).to.equal(null)
      expect(events).to.deep.include(CANCELLED)
    }
  })

  it('does not come with a wrong one', async () => {
    const record = asked(NOW + DAY, enrolledRecord())
    const wrong = await judge(record, otp(codeOf(STEP_NOW + 50)))
    expect(wrong.record.mailReset).to.equal(record.mailReset)
    const unknown = await judge(record, backupCode('none'))
    expect(unknown.record.mailReset).to.equal(record.mailReset)
  })

  it('comes with every end of all sessions', () => {
    expect(raiseEpoch(asked(NOW + DAY)).mailReset).to.equal(null)
  })
})

describe('the mail that says "ready"', () => {
  const tell = (record: SecondStepRecord, now: number, heldUntil = 0) =>
    tellMailResetReady(record, { digest: 'second', heldUntil }, now)

  it('is due once, from the moment at which the wait is over', () => {
    const record = asked(NOW + DAY)
    expect(isReadyDue(record, NOW + DAY - 1)).to.equal(false)
    expect(isReadyDue(record, NOW + DAY)).to.equal(true)
    const early = tell(record, NOW + DAY - 1)
    expect(early.record).to.equal(record)
    expect([early.answer, early.events]).to.deep.equal([null, []])

    const { record: told, answer, events } = tell(record, NOW + DAY)
    expect(told.mailReset).to.deep.equal({
      ...record.mailReset,
      readyTold: true,
      digests: ['first', 'second'],
    })
    expect(answer).to.equal(told.mailReset)
    const detail = { expiresAt: new Date(NOW + 2 * DAY) }
    expect(events).to.deep.equal([{ type: 'mail-reset-ready', method: null, detail }])
    expect(isReadyDue(told, NOW + DAY)).to.equal(false)
    expect(tell(told, NOW + DAY)).to.deep.equal({ record: told, answer: null, events: [] })
  })

  it('is never due without a wait, or without a reset', () => {
    expect(isReadyDue(asked(), NOW + MINUTE)).to.equal(false)
    expect(isReadyDue(enrolledRecord(), NOW)).to.equal(false)
  })

  it('makes both links work for the one reset', () => {
    const { record } = tell(asked(NOW + DAY), NOW + DAY)
    for (const digest of ['first', 'second']) {
      const pressed = pressMailReset(record, { digests: [digest], heldUntil: 0 }, NOW + DAY)
      expect(pressed.answer.kind).to.equal('reset')
    }
  })

  it('comes later where the host holds the reset back by now', () => {
    const until = NOW + DAY + HOUR
    const { record, answer, events } = tell(asked(NOW + DAY), NOW + DAY, until)
    expect([answer, events]).to.deep.equal([null, []])
    expect(record.mailReset).to.include({ usableAt: until, expiresAt: until + DAY })
    expect(isReadyDue(record, until - 1)).to.equal(false)
    expect(tell(record, until, until).answer).not.to.equal(null)
  })

  it('is not sent for what has expired unseen, which is dropped', () => {
    const record = asked(NOW + DAY)
    const { record: dropped, answer, events } = tell(record, NOW + 2 * DAY)
    expect([dropped.mailReset, answer, events]).to.deep.equal([null, null, []])
  })
})
