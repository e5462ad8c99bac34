import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { UnfulfilledRules } from '../../lib/service/unfulfilled-rules.js'
import { browserOf, passFirstStep } from '../support/browser.js'
import { ann, makeHost } from '../support/host.js'
import { setPolicy } from '../support/visits.js'
import { warningsDuring } from '../support/warnings.js'

// The mistake: the option `webauthn` is gone, and the rule that accepts keys alone is still stored. Nobody of the role
// gets in, and no page says why.
describe('A stored rule that nobody can fulfil here', () => {
  const ruled: Policy = {
    ...defaultPolicy,
    version: 1,
    accepts: {
      admin: ['webauthn', 'backup-code'],
      user: ['webauthn', 'totp'],
      other: ['webauthn'],
    },
  }
  const warnings = (types: ConstructorParameters<typeof UnfulfilledRules>[1], ...seen: Policy[]) =>
    warningsDuring(() => {
      const rules = new UnfulfilledRules(['admin', 'user', 'staff'], types)
      for (const policy of seen) rules.see(policy)
    })

  it('is told once for each version of the policy, with the roles of this app and the way out', async () => {
    const [first, second, ...more] = await warnings(['totp'], ruled, ruled, {
      ...ruled,
      version: 2,
    })
    expect(more).to.deep.equal([])
    expect(second).to.equal(first)
    expect(first).to.include('with the role admin, and').and.include('--accepts admin=default')
  })

  it('is told of no rule that users can fulfil', async () => {
    expect(await warnings(['totp', 'webauthn'], ruled)).to.deep.equal([])
    expect(await warnings(['hotp'], { ...ruled, accepts: { user: ['totp'] } })).to.deep.equal([])
    expect(await warnings(['totp'], defaultPolicy)).to.deep.equal([])
  })

  it('is told at the first request that reads it', async () => {
    const host = makeHost({
      options: { roles: ['user', 'admin'], users: { findById: async () => null } },
    })
    await setPolicy(host, { accepts: { user: ['webauthn'] } })
    const said = await warningsDuring(() => passFirstStep(browserOf(host), ann))
    expect(said.filter((one) => one.includes('security keys alone'))).to.have.length(1)
  })
})
