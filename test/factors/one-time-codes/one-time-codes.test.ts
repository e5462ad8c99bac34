import { expect } from 'chai'
import fc from 'fast-check'
import type { PendingLogin } from '../../../lib/domain/pending-login.js'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { confirmSetup, mayBeginSetup } from '../../../lib/domain/setup.js'
import { isGranted } from '../../../lib/domain/setup-grant.js'
import { raiseEpoch } from '../../../lib/domain/stamp.js'
import { pendingStandingOf } from '../../../lib/domain/standing.js'
import { type OneTimeCode, withOneTimeCode } from '../../../lib/factors/one-time-codes/kept.js'
import { hasOpenOneTimeCode } from '../../../lib/factors/one-time-codes/page.js'
import { judge, keysWith, lookUpCode, oneTimeCode } from '../../support/proofs.js'
import {
  backupCodeSet,
  codeOf,
  DAY,
  deepFreeze,
  enrolledRecord,
  KEY_ID,
  KEY_IDS,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  PARAMETERS,
  policyWith,
  recordWith,
  STEP_NOW,
  USER,
  userContextWith,
} from '../../support/records.js'

const codeWith = (id: string, parts: Partial<OneTimeCode> = {}): OneTimeCode => ({
  id,
  keyId: KEY_ID,
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
  stampVersion: null,
})

const pending: PendingLogin = deepFreeze(pendingWith('this-login'))
const record = enrolledRecord({ oneTimeCodes: [codeWith('one'), codeWith('two')] })

const answer = (of = record, id = 'one', now = NOW, login = pending) =>
  judge(of, oneTimeCode(`digest of ${id}`), { now, pending: login })

describe('A one-time code', () => {
  it('is used up and opens the set-up in this pending login, and signs nobody in', async () => {
    const decision = await answer()
    expect(decision.answer).to.deep.equal({ kind: 'setup-granted' })
    expect(decision.record).to.deep.equal({
      ...record,
      oneTimeCodes: [codeWith('one', { usedAt: NOW }), codeWith('two')],
      setupGrant: { owner: 'this-login', until: NOW + 10 * MINUTE, policy: 1 },
    })
    expect(decision.events).to.deep.equal([{ type: 'one-time-code-used', method: 'one-time-code' }])
  })

  // Parse Server CVE-2026-33624, Filament CVE-2026-48505: parallel logins shared one recovery code.
  it('is refused a second time, and the replay costs nothing', async () => {
    const used = (await answer()).record
    expect(await answer(used)).to.deep.equal({
      record: used,
      answer: { kind: 'wrong-code', counted: false },
      events: [],
    })
    expect((await answer(used, 'two')).answer.kind).to.equal('setup-granted')
  })

  it('is good for its last millisecond, and not for the next', async () => {
    expect((await answer(record, 'one', NOW + DAY - 1)).answer.kind).to.equal('setup-granted')
    const expired = await answer(record, 'one', NOW + DAY)
    expect(expired.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    expect(expired.record).to.equal(record)
  })

  it('is not good for longer than a day, where the clock was ahead that made it', async () => {
    const ahead = codeWith('one', { expiresAt: NOW + DAY + MINUTE + 1 })
    const made = deepFreeze({ ...record, oneTimeCodes: [ahead] })
    expect((await answer(made)).answer).to.deep.equal({ kind: 'wrong-code', counted: false })
    expect(hasOpenOneTimeCode([ahead], KEY_IDS, NOW)).to.equal(false)
    expect(hasOpenOneTimeCode([ahead], KEY_IDS, NOW + 1)).to.equal(true)
  })

  it('is a miss if nobody made it', async () => {
    const unknown = await answer(record, 'three')
    expect(unknown.record).to.equal(record)
    expect(unknown.answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    expect(unknown.events).to.deep.equal([{ type: 'wrong-code', method: 'one-time-code' }])
  })

  // The mistake: the ring's key is dropped, and the code that it was made with costs tries for ever.
  it('is no guess where none is open whose key is in the ring', async () => {
    const dead = codeWith('one', { keyId: 'dropped' })
    const used = codeWith('two', { usedAt: NOW })
    for (const oneTimeCodes of [[dead], [used], [dead, used]]) {
      const none = await answer(enrolledRecord({ oneTimeCodes }), 'three')
      expect(none.answer).to.deep.equal({ kind: 'wrong-code', counted: false })
      expect(none.events).to.deep.equal([])
    }
    const beside = enrolledRecord({ oneTimeCodes: [dead, codeWith('two')] })
    expect((await answer(beside, 'three')).answer).to.deep.include({ counted: true })
    expect((await answer(beside, 'two')).answer.kind).to.equal('setup-granted')
  })

  it('is a guess where it could be right as either kind of code', async () => {
    const dead = [codeWith('one', { keyId: 'dropped' })]
    for (const [oneTimeCodes, backupCodes, counted] of [
      [dead, backupCodeSet('set'), true],
      [[codeWith('one')], null, true],
      [dead, null, false],
    ] as const) {
      const both = enrolledRecord({ oneTimeCodes, backupCodes })
      const { answer: verdict } = await judge(both, lookUpCode('nobody’s'), { pending })
      expect(verdict).to.deep.equal({ kind: 'wrong-code', counted })
    }
  })

  it('works while the authenticator is locked, and after a reset whose time is over', async () => {
    // Teleport RFD 158: a lock that shut the owner out of recovery too.
    const oneTimeCodes = [codeWith('one')]
    const misses = Array.from({ length: 20 }, () => NOW)
    const locked = enrolledRecord({ oneTimeCodes, attempts: { misses, consecutive: 20 } })
    const over = recordWith({ oneTimeCodes, mustSetUp: { until: NOW } })
    for (const one of [locked, over])
      expect((await answer(one)).answer.kind).to.equal('setup-granted')
  })
})

describe('The set-up that a one-time code opens', () => {
  const used = [codeWith('one', { usedAt: NOW }), codeWith('two')]
  const setupGrant = { owner: 'this-login', until: NOW + 9 * MINUTE }
  const granted: SecondStepRecord = deepFreeze({ ...record, oneTimeCodes: used, setupGrant })
  const standing = (login: PendingLogin, now: number, of = granted) =>
    pendingStandingOf(login, userContextWith(of, policyWith('optional')), now)

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

  it('is closed with the confirmation', async () => {
    const setup = {
      ...PARAMETERS,
      type: 'totp',
      owner: 'this-login',
      secret: 's',
      startedAt: NOW,
      misses: 0,
      replaces: 'all',
    } as const
    const command = {
      owner: 'this-login',
      given: codeOf(STEP_NOW),
      id: 'new',
      name: null,
      backupCodes: backupCodeSet('new'),
    }
    const moment = { now: NOW, window: 1, keys: keysWith() }
    const confirmed = await confirmSetup({ ...granted, setup }, command, moment)
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
    const none: readonly OneTimeCode[] = []
    const kept = ids.reduce((codes, id) => withOneTimeCode(codes, codeWith(id), NOW), none)
    expect(kept.map(({ id }) => id)).to.deep.equal(ids.slice(2))
  })

  it('lose the expired ones when one is added, and keep used ones, so that a replay is known', () => {
    const before = [
      codeWith('expired', { expiresAt: NOW }),
      codeWith('used', { usedAt: NOW - 1 }),
      codeWith('last', { expiresAt: NOW + 1 }),
    ]
    const after = withOneTimeCode(before, codeWith('new'), NOW)
    expect(after.map(({ id }) => id)).to.deep.equal(['used', 'last', 'new'])
  })

  it('are open while neither used nor expired', () => {
    const { oneTimeCodes } = record
    expect(hasOpenOneTimeCode(oneTimeCodes, KEY_IDS, NOW + DAY - 1)).to.equal(true)
    expect(hasOpenOneTimeCode(oneTimeCodes, KEY_IDS, NOW + DAY)).to.equal(false)
    const used = [codeWith('used', { usedAt: NOW })]
    expect(hasOpenOneTimeCode(used, KEY_IDS, NOW)).to.equal(false)
  })

  it('are not open after their key has left the ring, and are where nobody has noted it', () => {
    for (const [keyId, open] of [
      ['old-key', true],
      ['dropped', false],
      [null, true],
    ] as const) {
      expect(hasOpenOneTimeCode([codeWith('one', { keyId })], KEY_IDS, NOW)).to.equal(open)
    }
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

  it('lets each code open one login, in its time, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        let [now, next, current] = [NOW, enrolledRecord(), new Set<string>()]
        const made = new Map<string, number>()
        for (const step of commands) {
          if ('wait' in step) now += step.wait * MINUTE
          if ('end' in step) next = raiseEpoch(next)
          if ('make' in step) {
            const id = `code-${made.size}`
            const code = codeWith(id, { expiresAt: now + DAY })
            const oneTimeCodes = withOneTimeCode(next.oneTimeCodes, code, now)
            next = { ...next, oneTimeCodes }
            made.set(id, now)
            expect(next.oneTimeCodes.length).to.be.at.most(10)
          }
          if ('give' in step) {
            const id = `code-${step.give}`
            const login = { ...pendingWith(step.login, next.epoch), at: now }
            const { answer: verdict, record: after } = await answer(next, id, now, login)
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
