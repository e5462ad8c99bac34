import { expect } from 'chai'
import { USER_ACTION_NAMES } from '../../lib/domain/admin-actions.js'
import { acceptedToOpen } from '../../lib/domain/admin-proof.js'
import { defaultPolicy } from '../../lib/domain/policy.js'
import type { RouteRules } from '../../lib/domain/route-rules.js'
import type { FactorMethod } from '../../lib/factors/factors.js'
import { authenticatorWith, enrolledRecord, keyWith, NOW } from '../support/records.js'

// A phisher relays an admin's code, and has the admin pages open an account that is bound to security keys.
describe('What an admin proves to open an account', () => {
  const subject = { roles: ['keyholder'], createdAt: null, privileged: false }
  const app = authenticatorWith()
  const openedBy = (
    accepts: readonly FactorMethod[] | null,
    authenticators = [app, keyWith()],
    routes: RouteRules = [],
    { backupCodes } = { backupCodes: true },
  ) => {
    const policy = {
      ...defaultPolicy,
      backupCodes,
      accepts: accepts === null ? {} : { keyholder: accepts },
    }
    const userContext = { record: enrolledRecord({ authenticators }), policy, subject }
    return USER_ACTION_NAMES.filter((name) => acceptedToOpen(name, userContext, routes) !== null)
  }
  const opening = ['remove-authenticator', 'pause', 'reset', 'disable']

  it('is a key, where a rule of a role or of a route binds its user to one', () => {
    expect(openedBy(['webauthn'])).to.deep.equal(opening)
    expect(openedBy(['webauthn'], [app, keyWith({ suspendedAt: NOW })])).to.deep.equal(opening)
    expect(openedBy(null, undefined, [['totp'], ['webauthn']])).to.deep.equal(opening)
    // Neither of them does alone.
    const together = [['webauthn', 'hotp']] as const
    expect(openedBy(['webauthn', 'totp'], undefined, together)).to.deep.equal(opening)
  })

  it('is a key, where the rule takes backup codes and the policy has none', () => {
    const accepts = ['webauthn', 'backup-code'] as const
    expect(openedBy(accepts, undefined, [], { backupCodes: false })).to.deep.equal(opening)
    expect(openedBy(accepts)).to.deep.equal([])
  })

  it('is any, where codes open it anyway, or no key is there yet', () => {
    expect(openedBy(['webauthn'], [app])).to.deep.equal([])
    expect(openedBy(['webauthn', 'totp'])).to.deep.equal([])
    expect(openedBy(['hotp'])).to.deep.equal([])
    expect(openedBy(['hotp'], undefined, [['totp']])).to.deep.equal([])
    expect(openedBy(null, [app], [['webauthn']])).to.deep.equal([])
  })
})
