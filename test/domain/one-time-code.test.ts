import { expect } from 'chai'
import fc from 'fast-check'
import {
  addOneTimeCode,
  answerOneTimeCode,
  hasOpenOneTimeCode,
  isGranted,
  isOneTimeCode,
  type OneTimeCode,
} from '../../lib/domain/one-time-code.js'
import type { PendingLogin } from '../../lib/domain/pending-login.js'
import { confirmSetup, mayBeginSetup } from '../../lib/domain/setup.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import { pendingStandingOf } from '../../lib/domain/standing.js'
import {
  backupCodeSet,
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  footingWith,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  PARAMETERS,
  policyWith,
  recordWith,
  SECRET,
  STEP_NOW,
  USER,
} from '../support/records.js'

const codeWith = (id: string, parts: Partial<OneTimeCode> = {}): OneTimeCode => ({
  id,
  digest: `digest of ${id}`,
  expiresAt: NOW + DAY,
  usedAt: null,
  ...parts,
})

const pendingWith = (id: string, epoch = 1): PendingLogin => ({
  id,
  userId: USER,
  epoch,
  at: NOW - MINUTE,
  next: null,
  passport: { instance: 0, user: USER },
  keepSessionInfo: false,
  locale: null,
  subject: NOBODY_SPECIAL,
  stampId: null,
})

const pending = deepFreeze(pendingWith('this-login'))
const record = enrolledRecord({ oneTimeCodes: [codeWith('one'), codeWith('two')] })

const answer = (of = record, id = 'one', now = NOW) =>
  deepFreeze(answerOneTimeCode(of, { digests: [`digest of ${id}`], pending }, now))

describe('A one-time code', () => {
  it('is used up and opens the set-up in this pending login, and signs nobody in', () => {
    const decision = answer()
    expect(decision.answer).to.deep.equal({ kind: 'setup-granted' })
    expect(decision.record).to.deep.equal({
      ...record,
      oneTimeCodes: [codeWith('one', { usedAt: NOW }), codeWith('two')],
      setupGrant: { owner: 'this-login', until: NOW + 9 * MINUTE },
    })
    expect(decision.events).to.deep.equal([{ type: 'one-time-code-used', method: 'one-time-code' }])
  })

  // Parse Server CVE-2026-33624, Filament CVE-2026-48505: parallel logins shared one recovery code.
  it('is refused a second time, and the replay costs nothing', () => {
    const used = answer().record
    expect(answer(used)).to.deep.equal({
      record: used,
      answer: { kind: 'wrong-code', counted: false },
      events: [],
    })
    expect(answer(used, 'two').answer.kind).to.equal('setup-granted')
  })

  it('is good for its last millisecond, and not for the next', () => {
    expect(answer(record, 'one', NOW + DAY - 1).answer.kind).to.equal('setup-granted')
    const expired = answer(record, 'one', NOW + DAY)
    expect(expired.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    expect(expired.record).to.equal(record)
  })

  it('that nobody made is a miss', () => {
    const unknown = answer(record, 'three')
    expect(unknown.record).to.equal(record)
    expect(unknown.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    expect(unknown.events).to.deep.equal([{ type: 'wrong-code', method: 'one-time-code' }])
  })

  it('works while the authenticator is locked, and after a reset whose time is over', () => {
    // Teleport RFD 158: a lock that shut the owner out of recovery too.
    const oneTimeCodes = [codeWith('one')]
    const misses = Array.from({ length: 20 }, () => NOW)
    const locked = enrolledRecord({ oneTimeCodes, attempts: { misses, consecutive: 20 } })
    const over = recordWith({ oneTimeCodes, mustSetUp: { until: NOW } })
    for (const one of [locked, over]) expect(answer(one).answer.kind).to.equal('setup-granted')
  })
})

describe('The set-up that a one-time code opens', () => {
  const granted = answer().record
  const standing = (login: PendingLogin, now: number, of = granted) =>
    pendingStandingOf(login, footingWith(of, policyWith('optional')), now)

  it('is there for that pending login alone, until it is over', () => {
    expect(standing(pending, NOW)).to.equal('setup-required')
    expect(standing(pending, NOW + 9 * MINUTE - 1)).to.equal('setup-required')
    expect(standing(pending, NOW + 9 * MINUTE)).to.equal('over')
    expect(standing(pendingWith('other-login'), NOW)).to.equal('code-required')
    expect(isGranted(granted, 'this-login', NOW + 9 * MINUTE)).to.equal(false)
  })

  it('may begin although an authenticator is bound', () => {
    expect(mayBeginSetup(granted, 'this-login', NOW)).to.equal(true)
    expect(mayBeginSetup(granted, 'other-login', NOW)).to.equal(false)
    expect(mayBeginSetup(record, 'this-login', NOW)).to.equal(false)
  })

  it('is closed with the confirmation', () => {
    const setup = { ...PARAMETERS, owner: 'this-login', secret: 's', startedAt: NOW, misses: 0 }
    const command = {
      owner: 'this-login',
      code: codeOf(STEP_NOW),
      secret: SECRET,
      liveSecret: 'live',
      backupCodes: backupCodeSet('new'),
      window: 1,
    }
    const confirmed = confirmSetup({ ...granted, setup }, command, NOW)
    expect(confirmed.answer.kind).to.equal('enrolled')
    expect(confirmed.record.setupGrant).to.equal(null)
    // A second code of the same recovery would replace the new authenticator a day later.
    expect(confirmed.record.oneTimeCodes).to.deep.equal([])
    expect(standing(pending, NOW, confirmed.record)).to.equal('over')
    expect(standing({ ...pending, epoch: 2 }, NOW, confirmed.record)).to.equal('code-required')
  })
})

describe('The one-time codes of a user', () => {
  it('are at most ten: the oldest goes', () => {
    const ids = Array.from({ length: 12 }, (_, index) => `code-${index}`)
    const kept = ids.reduce((now, id) => addOneTimeCode(now, codeWith(id), NOW), recordWith())
    expect(kept.oneTimeCodes.map(({ id }) => id)).to.deep.equal(ids.slice(2))
  })

  it('lose the expired ones when one is added, and keep used ones, so that a replay is known', () => {
    const before = recordWith({
      oneTimeCodes: [
        codeWith('expired', { expiresAt: NOW }),
        codeWith('used', { usedAt: NOW - 1 }),
        codeWith('last', { expiresAt: NOW + 1 }),
      ],
    })
    const { oneTimeCodes } = addOneTimeCode(before, codeWith('new'), NOW)
    expect(oneTimeCodes.map(({ id }) => id)).to.deep.equal(['used', 'last', 'new'])
  })

  it('are known by their digests, and open while neither used nor expired', () => {
    expect(isOneTimeCode(record, ['other', 'digest of two'])).to.equal(true)
    expect(isOneTimeCode(record, ['other'])).to.equal(false)
    expect(hasOpenOneTimeCode(record, NOW + DAY - 1)).to.equal(true)
    expect(hasOpenOneTimeCode(record, NOW + DAY)).to.equal(false)
    const used = recordWith({ oneTimeCodes: [codeWith('used', { usedAt: NOW })] })
    expect(hasOpenOneTimeCode(used, NOW)).to.equal(false)
  })
})

describe('Any row of logins, codes and admins', () => {
  const LOGINS = ['this-login', 'other-login', 'third-login'] as const
  const command = fc.oneof(
    fc.constant({ make: true }),
    fc.record({ give: fc.integer({ min: 0, max: 5 }), login: fc.constantFrom(...LOGINS) }),
    fc.record({ wait: fc.integer({ min: 0, max: 12 * 60 }) }),
    fc.constant({ end: true }),
  )

  it('lets each code open one login, in its time, and no other', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
        let [now, next, current] = [NOW, enrolledRecord(), new Set<string>()]
        const made = new Map<string, number>()
        for (const step of commands) {
          if ('wait' in step) now += step.wait * MINUTE
          if ('end' in step) next = raiseEpoch(next)
          if ('make' in step) {
            const id = `code-${made.size}`
            next = addOneTimeCode(next, codeWith(id, { expiresAt: now + DAY }), now)
            made.set(id, now)
            expect(next.oneTimeCodes.length).to.be.at.most(10)
          }
          if ('give' in step) {
            const id = `code-${step.give}`
            const login = { ...pendingWith(step.login, next.epoch), at: now }
            const command = { digests: [`digest of ${id}`], pending: login }
            const { answer: verdict, record: after } = answerOneTimeCode(next, command, now)
            if (verdict.kind === 'setup-granted') {
              expect(current.has(id), 'used once').to.equal(false)
              expect(now - (made.get(id) ?? 0)).to.be.below(DAY)
              expect(LOGINS.filter((one) => isGranted(after, one, now))).to.deep.equal([step.login])
              current = new Set([...current, id])
            } else expect(after).to.equal(next)
            next = after
          }
          if ('end' in step) {
            expect(LOGINS.some((one) => isGranted(next, one, now))).to.equal(false)
          }
        }
      }),
    )
  })
})
