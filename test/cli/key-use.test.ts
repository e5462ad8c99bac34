import { expect } from 'chai'
import { KeyUse } from '../../lib/cli/key-use.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { mailResetOf } from '../../lib/testing/listed.js'
import { backupCodeSet, DAY, enrolledRecord, NOW } from '../support/records.js'

const RING = ['new', 'old'] as const

function withCodes(userId: string, keyId: string | null, usedAt: number | null = null) {
  const codes = [{ digest: 'one', usedAt }]
  return enrolledRecord({ userId, backupCodes: { ...backupCodeSet(), keyId, codes } })
}

function used(...records: readonly (readonly [SecondStepRecord, ...string[]])[]): KeyUse {
  const use = new KeyUse(RING)
  for (const [record, ...sealedUnder] of records) use.add(record, sealedUnder, NOW)
  return use
}

describe('The use of each key of the ring', () => {
  it('is nothing to talk about where all is under the current key', () => {
    const use = new KeyUse(['new'])
    use.add(withCodes('ann', 'new'), ['new'], NOW)
    expect(use.sentences(true)).to.deep.equal([])
    const none = { oneTimeCodes: 0, mailResets: 0, trustedBrowsers: 0 }
    const counts = { secrets: 1, backupCodes: 1, ...none }
    expect(use.keys()).to.deep.equal([{ id: 'new', place: 'current', ...counts, users: null }])
  })

  it('names whose backup codes need an older key', () => {
    const use = used(
      [withCodes('bob', 'old'), 'new'],
      [withCodes('ann', 'old')],
      [withCodes('eve', 'new')],
    )
    expect(use.sentences(true)).to.deep.equal([
      'keys[1] (old): still needed by the backup codes of 2 users; keep it until they have new ones. Users: "ann", "bob".',
    ])
    expect(use.keys().map(({ users }) => users)).to.deep.equal([null, ['ann', 'bob']])
  })

  it('sends to reseal first where secrets need it', () => {
    const use = used([withCodes('ann', 'new'), 'old'], [withCodes('bob', 'old'), 'new'])
    expect(use.sentences(true)[0]).to.contain(
      'still needed by the secrets of 1 user, the backup codes of 1 user; run "reseal".',
    )
  })

  it('says when a key may leave the ring, and only when that is certain', () => {
    const use = used([withCodes('ann', 'new'), 'new'], [withCodes('bob', 'old', NOW - 1), 'new'])
    expect(use.sentences(true)).to.deep.equal([
      'keys[1] (old): no record needs it any more; it may leave the ring. Sessions that began under it end: users with a second step sign in again.',
    ])
    expect(use.sentences(false)[0]).to.contain('not all is known')
    const unknown = used([withCodes('ann', null), 'new'])
    expect(unknown.sentences(true)).to.deep.equal([
      'keys[1] (old): nothing is known to need it, but not all is known.',
      'Version 0.1.0 made the backup codes of 1 user, and did not note the key: "ann".',
    ])
  })

  it('names whose codes no longer work', () => {
    const use = used([withCodes('ann', 'lost'), 'new'])
    expect(use.sentences(true)[1]).to.equal(
      'Key lost is not in keys, and the backup codes of 1 user no longer work: "ann".',
    )
  })

  it('counts one-time codes and resets by mail while they are open', () => {
    const code = { id: 'c', keyId: 'old', digest: 'd', expiresAt: NOW + DAY, usedAt: null }
    const over = [
      { ...code, expiresAt: NOW },
      { ...code, usedAt: NOW - 1 },
    ]
    const mailReset = mailResetOf({ keyId: 'old', expiresAt: NOW + 1 })
    const parts = { backupCodes: null, mailReset: null }
    const use = used(
      [enrolledRecord({ ...parts, userId: 'ann', oneTimeCodes: [...over, code] })],
      [enrolledRecord({ ...parts, userId: 'bob', oneTimeCodes: over })],
      [enrolledRecord({ ...parts, userId: 'eve', mailReset })],
      [enrolledRecord({ ...parts, userId: 'ida', mailReset: { ...mailReset, expiresAt: NOW } })],
    )
    const [, old] = use.keys()
    expect(old).to.deep.include({ oneTimeCodes: 1, mailResets: 1, users: ['ann', 'eve'] })
    expect(use.sentences(true)[0]).to.contain(
      'needed by the one-time codes of 1 user, the resets by mail of 1 user;',
    )
  })

  it('counts trusted browsers until their time is over', () => {
    const browser = {
      ...{ id: 'b', keyId: 'old', digest: 'd', previous: null, rotatedAt: NOW, createdAt: NOW },
      ...{ expiresAt: NOW + 1, policyVersion: 0, name: null },
    }
    const over = { ...browser, expiresAt: NOW }
    const use = used(
      [
        enrolledRecord({ backupCodes: null, userId: 'ann', trustedBrowsers: [over, browser] }),
        'new',
      ],
      [enrolledRecord({ backupCodes: null, userId: 'bob', trustedBrowsers: [over] }), 'new'],
    )
    expect(use.keys()[1]).to.deep.include({ trustedBrowsers: 1, users: ['ann'] })
    expect(use.sentences(true)).to.deep.equal([
      'keys[1] (old): still needed by the trusted browsers of 1 user; keep it until each has signed in again; without it they are asked for the second step once. Users: "ann".',
    ])
    const gone = { ...browser, keyId: 'lost' }
    expect(
      used([
        enrolledRecord({ backupCodes: null, userId: 'ann', trustedBrowsers: [gone] }),
      ]).sentences(true)[1],
    ).to.equal('Key lost is not in keys, and the trusted browsers of 1 user no longer work: "ann".')
  })

  it('names twenty users at most, and says how to see all', () => {
    const many = Array.from({ length: 25 }, (_, at) => [withCodes(`u${at + 10}`, 'old')] as const)
    const use = used(...many)
    expect(use.sentences(true)[0]).to.match(/"u29" and 5 more \(--json names all\)\.$/)
    expect(use.keys()[1]?.users).to.have.length(25)
  })
})
