import { expect } from 'chai'
import { blankRecord } from '../../lib/domain/record.js'

describe('the record of a user without a stored record', () => {
  it('has nothing but the user in it', () => {
    expect(blankRecord('ada')).to.deep.equal({
      userId: 'ada',
      version: 0,
      writeId: '',
      epoch: 0,
      authenticators: [],
      setup: null,
      mustSetUp: null,
      backupCodes: null,
      oneTimeCodes: [],
      setupGrant: null,
      mailReset: null,
      attempts: { misses: [], consecutive: 0 },
      lockedUntil: null,
      pausedUntil: null,
      ruleStart: null,
      passwordChangedAt: null,
      ended: [],
      endedUpTo: null,
      endedLogins: [],
      usedChallenges: [],
      trustedBrowsers: [],
    })
  })

  it('shares no part with that of another user', () => {
    const [ada, bob] = [blankRecord('ada'), blankRecord('bob')]
    expect(ada.ended).not.to.equal(bob.ended)
    expect(ada.attempts).not.to.equal(bob.attempts)
    expect(ada.attempts.misses).not.to.equal(bob.attempts.misses)
  })
})
