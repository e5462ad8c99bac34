import { expect } from 'chai'
import { disableByUser, resetByUser } from '../../lib/domain/reset.js'
import { demandOf, standingOf } from '../../lib/domain/standing.js'
import {
  DAY,
  enrolledRecord,
  NOW,
  policyWith,
  UNPROVEN,
  USER,
  userContextWith,
} from '../support/records.js'

const record = enrolledRecord({
  epoch: 4,
  version: 7,
  setup: {
    ...UNPROVEN,
    owner: 'stamp',
    secret: 'sealed',
    startedAt: NOW,
    misses: 0,
    replaces: 'all' as const,
  },
  attempts: { misses: [NOW - 1], consecutive: 1 },
  ended: [{ id: 'old', version: 1 }],
})
const forgotten = {
  ...record,
  epoch: 5,
  authenticators: [],
  setup: null,
  backupCodes: null,
  attempts: { misses: [], consecutive: 0 },
  ended: [],
}

describe('a reset by the user', () => {
  const decision = resetByUser(record, NOW)

  it('forgets authenticator, codes and misses, and demands a set-up within a day', () => {
    expect(decision.record).to.deep.equal({
      ...forgotten,
      mustSetUp: { until: NOW + DAY, from: NOW },
    })
    expect(decision.answer).to.equal(undefined)
    expect(decision.events).to.deep.equal([{ type: 'reset', method: null }])
  })

  it('leads to the set-up for a day, and then no further: the password alone opens nothing', () => {
    const demand = (now: number) =>
      demandOf(userContextWith(decision.record, policyWith('optional')), now)
    expect(demand(NOW)).to.equal('setup')
    expect(demand(NOW + DAY - 1)).to.equal('setup')
    expect(demand(NOW + DAY)).to.equal('code')
  })

  it('ends every session', () => {
    // Joomla CVE-2024-21722: a change of factors left the other sessions alive.
    const stamp = {
      id: 'here',
      userId: USER,
      epoch: 4,
      method: 'totp',
      at: NOW,
      version: 7,
      instance: 0,
    } as const
    const standing = standingOf(
      USER,
      stamp,
      userContextWith(decision.record, policyWith('optional')),
      NOW,
    )
    expect(standing).to.equal('revoked')
  })
})

describe('turning it off by the user', () => {
  const decision = disableByUser(record)

  it('forgets authenticator, codes and misses, and demands nothing', () => {
    expect(decision.record).to.deep.equal({ ...forgotten, mustSetUp: null })
    expect(decision.events).to.deep.equal([{ type: 'disabled', method: null }])
    expect(demandOf(userContextWith(decision.record, policyWith('optional')), NOW)).to.equal(
      'nothing',
    )
  })

  it('leaves no earlier demand for a set-up behind', () => {
    const demanded = { ...record, mustSetUp: { until: NOW + DAY } }
    expect(disableByUser(demanded).record.mustSetUp).to.equal(null)
  })
})
