import { expect } from 'chai'
import {
  backupCodesByAdmin,
  oneTimeCodeByAdmin,
  pauseByAdmin,
  resumeByAdmin,
} from '../../lib/domain/administration.js'
import { FOREVER, pauseEnd } from '../../lib/domain/pause.js'
import { defaultPolicy } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import type { Stamp } from '../../lib/domain/stamp.js'
import { standingOf } from '../../lib/domain/standing.js'
import {
  judgeTrust,
  type TrustedBrowser,
  trustBrowser,
  trustedNow,
} from '../../lib/domain/trusted-browsers.js'
import { DAY, MINUTE } from '../support/clock.js'
import { backupCodeSet, enrolledRecord, KEY_ID, NOW, USER } from '../support/records.js'

const SUBJECT = { roles: [], createdAt: null, privileged: false }
const RULES = { policy: defaultPolicy, now: NOW, lasts: 14 * DAY, keyIds: ['newer', KEY_ID] }
const NEXT = { keyId: KEY_ID, digest: 'next' }

const browser: TrustedBrowser = {
  id: 'browser',
  keyId: KEY_ID,
  digest: 'present',
  previous: 'before',
  rotatedAt: NOW - MINUTE / 2,
  createdAt: NOW - DAY,
  expiresAt: NOW + 13 * DAY,
  policyVersion: 0,
  name: null,
}

function recordWith(change: Partial<SecondStepRecord> = {}): SecondStepRecord {
  return { ...enrolledRecord(), trustedBrowsers: [browser], ...change }
}

function judge(digest: string, change: Partial<TrustedBrowser> = {}) {
  const one = { ...browser, ...change }
  const record = recordWith({ trustedBrowsers: [one] })
  const given = { digests: ['of another key', digest], next: NEXT }
  return judgeTrust(record, one, given, RULES)
}

describe('a trusted browser', () => {
  it('is known by its present secret, which is exchanged', () => {
    const { record, answer } = judge('present')
    expect(answer).to.equal('trusted')
    expect(record.trustedBrowsers).to.deep.equal([
      { ...browser, ...NEXT, previous: 'present', rotatedAt: NOW },
    ])
  })

  it('is known by the secret before for a minute, which changes nothing', () => {
    const given = { digests: ['before'], next: NEXT }
    const record = recordWith()
    const decided = judgeTrust(record, browser, given, RULES)
    expect(decided).to.deep.equal({ record, answer: 'trusted-again', events: [] })
    expect(decided.record).to.equal(record)
    expect(judge('before', { rotatedAt: NOW - MINUTE }).answer).to.equal('reused')
  })

  it('ends with any other secret', () => {
    for (const [digest, change] of [
      ['older', {}],
      ['before', { rotatedAt: NOW - MINUTE }],
      ['null', { previous: null }],
    ] as const) {
      const { record, answer, events } = judge(digest, change)
      expect(answer).to.equal('reused')
      expect(record.trustedBrowsers).to.deep.equal([])
      expect(events.map(({ type }) => type)).to.deep.equal(['trusted-browser-reused'])
    }
  })

  it('is over, and no theft, after its time, its key or its policy', () => {
    const over = [
      { createdAt: NOW - 14 * DAY },
      { expiresAt: NOW },
      { createdAt: NOW + 2 * MINUTE },
      { keyId: 'dropped' },
      { policyVersion: 1 },
    ]
    for (const change of over) {
      const { answer, events, record } = judge('present', change)
      expect([answer, events], JSON.stringify(change)).to.deep.equal(['over', []])
      expect(record.trustedBrowsers, 'and never comes back').to.deep.equal([])
    }
  })

  it('is listed with the end that the host’s days give it', () => {
    const end = ({ expiresAt }: TrustedBrowser) => expiresAt
    const listed = (days: number) => trustedNow(recordWith(), { ...RULES, lasts: days * DAY })
    expect(listed(3).map(end)).to.deep.equal([NOW + 2 * DAY])
    expect(listed(14).map(end)).to.deep.equal([NOW + 13 * DAY])
    expect(listed(1)).to.deep.equal([])
    expect(trustedNow(recordWith(), { ...RULES, keyIds: ['newer'] })).to.deep.equal([])
  })

  it('takes the place of those that are over, and then of the oldest', () => {
    const many = Array.from({ length: 10 }, (_, index) => ({ ...browser, id: `${index}` }))
    const idsAfter = (all: readonly TrustedBrowser[]) => {
      const record = recordWith({ trustedBrowsers: all })
      const made = { ...browser, id: 'new' }
      return trustBrowser(record, made, RULES).record.trustedBrowsers.map(({ id }) => id)
    }
    expect(idsAfter(many)).to.deep.equal(['1', '2', '3', '4', '5', '6', '7', '8', '9', 'new'])
    for (const over of [{ expiresAt: NOW }, { keyId: 'dropped' }]) {
      const oneOver = many.map((one) => (one.id === '5' ? { ...one, ...over } : one))
      expect(idsAfter(oneOver)).to.include('0').and.not.include('5')
    }
  })

  it('carries a session as long as it is trusted itself', () => {
    const stamp: Stamp = {
      ...{
        id: 'stamp',
        userId: USER,
        epoch: recordWith().epoch,
        at: NOW,
        version: 1,
        instance: 0,
      },
      ...{ method: 'trusted-browser', trust: 'browser' },
    }
    const { trust: _, ...unnamed } = stamp
    const standing = (record: SecondStepRecord, one = stamp, version = 0) => {
      const context = { record, policy: { ...defaultPolicy, version }, subject: SUBJECT }
      return standingOf(USER, one, context, NOW)
    }
    expect(standing(recordWith())).to.equal('passed')
    expect(standing(recordWith({ trustedBrowsers: [] }))).to.equal('code-required')
    expect(standing(recordWith(), unnamed)).to.equal('code-required')
    expect(standing(recordWith(), stamp, 1)).to.equal('code-required')
    const over = recordWith({ trustedBrowsers: [{ ...browser, expiresAt: NOW }] })
    expect(standing(over)).to.equal('code-required')
  })

  it('is forgotten with an admin’s pause, the end of one, and each code that an admin makes', () => {
    const code = { id: 'code', keyId: KEY_ID, digest: 'code', expiresAt: NOW + DAY, usedAt: null }
    const context = { record: recordWith(), policy: defaultPolicy, subject: SUBJECT }
    const paused = { ...context, record: recordWith({ pausedUntil: FOREVER }) }
    const decisions = {
      pause: pauseByAdmin(context, pauseEnd(1, NOW), NOW),
      resume: resumeByAdmin(paused, NOW),
      'backup codes': backupCodesByAdmin(context, backupCodeSet()),
      'one-time code': oneTimeCodeByAdmin(context, code, NOW, []),
    }
    for (const [name, { answer, record }] of Object.entries(decisions)) {
      expect([answer, record.trustedBrowsers], name).to.deep.equal(['done', []])
    }
  })
})
