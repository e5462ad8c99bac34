import { expect } from 'chai'
import { withoutOvertaken } from '../../lib/domain/overtaken-setup.js'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import type { RouteRules } from '../../lib/domain/route-rules.js'
import type { SetupInProgress } from '../../lib/domain/setup.js'
import { enrolledRecord, HOUR, NOW, UNPROVEN } from '../support/records.js'

// A phisher begins a set-up by a relayed code, and confirms it after the rule that refuses codes, or after the rule has
// given the user backup codes, which a route accepts.
describe('A set-up that a proof has begun', () => {
  const subject = { roles: ['user'], createdAt: null, privileged: false }
  const ruled: Policy = { ...defaultPolicy, accepts: { user: ['webauthn'] }, updatedAt: NOW }
  const survives = (
    policy: Policy,
    {
      startedAt = NOW - 1,
      replaces = 'none',
      ...known
    }: Partial<Pick<SetupInProgress, 'startedAt' | 'replaces' | 'policy'>> = {},
    { routes = [], now = NOW + 1 }: { routes?: RouteRules; now?: number } = {},
  ) => {
    const begun = {
      owner: 'this-login',
      secret: 'sealed',
      startedAt,
      misses: 0,
      replaces,
      ...known,
    }
    const record = enrolledRecord({ setup: { ...UNPROVEN, ...begun } })
    return withoutOvertaken({ record, policy, subject }, routes, now).setup !== null
  }

  it('is over with a change of the policy, where a rule binds the user', () => {
    expect(survives(ruled)).to.equal(false)
    expect(survives(ruled, { startedAt: NOW })).to.equal(false)
    expect(survives(ruled, { startedAt: NOW + 1 })).to.equal(true)
    const unruled = { ...ruled, accepts: {} }
    expect(survives(unruled)).to.equal(true)
    expect(survives(unruled, {}, { routes: [['totp', 'backup-code']] })).to.equal(false)
    expect(survives(unruled, {}, { routes: [['webauthn']] })).to.equal(true)
  })

  // The clock of the process that began it was ahead of, or behind, that of the one that changed the policy.
  it('is over by the version of the policy, whatever the clocks say', () => {
    const changed = { ...ruled, version: 8 }
    for (const updatedAt of [NOW - HOUR, NOW, NOW + HOUR]) {
      expect(survives({ ...changed, updatedAt }, { policy: 7 })).to.equal(false)
      expect(survives({ ...changed, updatedAt }, { policy: 8 })).to.equal(true)
    }
    // A process that has not heard of the change yet.
    expect(survives(changed, { policy: 9 })).to.equal(true)
  })

  it('goes on where nobody has changed the policy, or a clock was ahead', () => {
    expect(survives({ ...ruled, updatedAt: null })).to.equal(true)
    expect(survives({ ...ruled, updatedAt: NOW + HOUR })).to.equal(true)
  })

  it('is another matter where it replaces everything: the login is judged', () => {
    expect(survives(ruled, { replaces: 'all' })).to.equal(true)
  })
})
