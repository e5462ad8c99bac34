import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import {
  changePolicy,
  type OfferedHere,
  type PolicyEdit,
  policyRefusal,
} from '../../lib/domain/policy-change.js'
import type { RouteRules } from '../../lib/domain/route-rules.js'
import type { Method } from '../../lib/domain/stamp.js'
import {
  authenticatorWith,
  DAY,
  deepFreeze,
  enrolledRecord,
  keyWith,
  NOW,
} from '../support/records.js'

const admin = { kind: 'admin', id: 'root' } as const
const change = (policy: Policy, changes: PolicyEdit, now = NOW) =>
  deepFreeze(changePolicy(deepFreeze(policy), deepFreeze(changes), admin, now))
const since = (policy: Policy) => policy.requiredSince

const HERE = { routes: [], backupCodes: true } as const

describe('A change of the policy', () => {
  it('keeps fields that are not named, records who and when, and announces only the changed ones', () => {
    const changes = { mode: 'optional', graceDays: 3, codeAttempts: 5, backupCodes: false } as const
    const { policy, events } = change(defaultPolicy, changes)
    expect(policy).to.deep.equal({
      ...defaultPolicy,
      graceDays: 3,
      backupCodes: false,
      updatedAt: NOW,
      updatedBy: admin,
    })
    const changed = { graceDays: 3, backupCodes: false }
    const detail = { changed, before: { graceDays: 7, backupCodes: true } }
    expect(events).to.deep.equal([{ type: 'policy-changed', method: null, detail }])
  })

  it('returns the same policy if nothing changes', () => {
    const policy = { ...defaultPolicy, roles: { admin: 'required', user: 'off' } } as const
    const same = { ...policy, roles: { user: 'off', admin: 'required' } } as const
    for (const changes of [{}, { mode: 'optional' }, { roles: same.roles }] as const) {
      const decision = change(policy, changes)
      expect(decision.policy).to.equal(policy)
      expect(decision.events).to.deep.equal([])
    }
  })

  it('replaces the whole map of roles', () => {
    const before = { ...defaultPolicy, roles: { admin: 'required', user: 'off' } } as const
    const { policy } = change(before, { roles: { user: 'optional' } })
    expect(policy.roles).to.deep.equal({ user: 'optional' })
  })

  // Somebody else has required a second step of admins since the policy was read.
  it('keeps the rules of roles that are not named, where only some are', () => {
    const before = { ...defaultPolicy, roles: { admin: 'required', user: 'off' } } as const
    const { policy, events } = change(before, { namedRoles: { user: 'optional' } })
    expect(policy.roles).to.deep.equal({ admin: 'required', user: 'optional' })
    const changed = { roles: { admin: 'required', user: 'optional' } }
    const detail = { changed, before: { roles: before.roles } }
    expect(events).to.deep.equal([{ type: 'policy-changed', method: null, detail }])
    const general = change(policy, { namedRoles: { admin: 'default', clerk: 'default' } }).policy
    expect(general.roles).to.deep.equal({ user: 'optional' })
    expect(change(general, { namedRoles: { user: 'optional' } }).policy).to.equal(general)
    const named = JSON.parse('{ "__proto__": "required", "constructor": "default" }')
    const odd = change(defaultPolicy, { namedRoles: named }).policy
    expect(Object.keys(odd.roles)).to.deep.equal(['__proto__'])
  })

  it('takes a role of any name for what it is', () => {
    const roles = JSON.parse('{ "__proto__": "required", "constructor": "required" }')
    const { policy } = change(defaultPolicy, { roles })
    expect(Object.keys(policy.roles)).to.have.members(['__proto__', 'constructor'])
    expect(Object.keys(since(policy).roles)).to.have.members(['__proto__', 'constructor'])
  })
})

describe('The start of a rule that requires a second step', () => {
  const LATER = NOW + 5 * DAY
  const required = change(defaultPolicy, { mode: 'required', roles: { admin: 'required' } }).policy

  it('is the moment it began to', () => {
    expect(since(required)).to.deep.equal({ general: NOW, roles: { admin: NOW } })
  })

  it('stays while it holds, whatever else changes', () => {
    const { policy } = change(
      required,
      { graceDays: 1, roles: { ...required.roles, user: 'off' } },
      LATER,
    )
    expect(since(policy)).to.deep.equal({ general: NOW, roles: { admin: NOW } })
  })

  it('is kept when it is eased: switched off and on, it gives nobody new days', () => {
    // Grace that is renewed by switching the rule off and on, also for who did not come meanwhile.
    for (const roles of [{ admin: 'optional' }, {}] as const) {
      const eased = change(required, { mode: 'off', roles }, LATER).policy
      expect(since(eased)).to.deep.equal({ general: NOW, roles: { admin: NOW } })
      const again = change(eased, { mode: 'required', roles: { admin: 'required' } }, LATER + DAY)
      expect(since(again.policy)).to.deep.equal({ general: NOW, roles: { admin: NOW } })
    }
  })

  it('is no later for a role whose users the general rule required it of until now', () => {
    // A pause or a grace period that renews itself: each new rule would have begun days of its own.
    const general = change(defaultPolicy, { mode: 'required' }).policy
    const own = change(general, { mode: 'optional', roles: { admin: 'required' } }, LATER).policy
    expect(since(own)).to.deep.equal({ general: NOW, roles: { admin: NOW } })
  })
})

// The mistake: the only admin makes a rule that their key fulfils by its kind alone, and no login answers it.
describe("A rule for the admin's own role", () => {
  const subject = { roles: ['admin'], createdAt: null, privileged: true }
  const ruled = { ...defaultPolicy, accepts: { admin: ['webauthn'] } } as const
  const here = { rpId: 'acme.example' }
  const refusal = (key: ReturnType<typeof keyWith>, relyingParty: typeof here | null = here) => {
    const record = enrolledRecord({ authenticators: [authenticatorWith(), key] })
    const offered = { relyingParty, types: ['totp', 'webauthn'] as const, ...HERE }
    return policyRefusal(defaultPolicy, ruled, { record, subject, stamp: null }, offered)
  }

  it('is refused where their only key is suspended, of another domain, or not asked here', () => {
    const refused = { kind: 'stronger-factor-required', accepts: ['webauthn'] }
    expect(refusal(keyWith({ suspendedAt: NOW }))).to.deep.equal(refused)
    expect(refusal(keyWith({ rpId: 'old.example' }))).to.deep.equal(refused)
    expect(refusal(keyWith(), null)).to.deep.equal(refused)
    expect(refusal(keyWith())).to.equal(null)
  })
})

// A phisher relays an admin's code, and lifts the rule of another role: the accounts that are bound to keys take codes.
describe('A rule that binds others', () => {
  const ruled: Policy = {
    ...defaultPolicy,
    mode: 'required',
    roles: { lax: 'off' },
    accepts: { keyholder: ['webauthn'], clerk: ['totp', 'webauthn'] },
  }
  const types = ['totp', 'webauthn'] as const
  const offered = { relyingParty: { rpId: 'acme.example' }, types, ...HERE }
  const refusal = (method: Method, edit: PolicyEdit, before = ruled) => {
    const subject = { roles: ['admin'], createdAt: null, privileged: true }
    const by = { record: enrolledRecord(), subject, stamp: { method } }
    return policyRefusal(before, change(before, edit).policy, by, offered)
  }
  const keysAlone = { kind: 'stronger-factor-required', accepts: ['webauthn'] }
  const loosening: Record<string, PolicyEdit> = {
    'all rules are gone': { accepts: {} },
    'the rule is gone': { namedAccepts: { keyholder: 'default' } },
    'it accepts more': { namedAccepts: { keyholder: ['webauthn', 'totp'] } },
    'it accepts something else': { namedAccepts: { keyholder: ['totp'] } },
    'nobody of the role is asked': { namedRoles: { keyholder: 'off' } },
    'nobody is asked': { mode: 'off' },
    'nobody must have a key': { mode: 'optional' },
  }
  for (const [what, edit] of Object.entries(loosening)) {
    it(`is loosened by nothing that it does not accept: ${what}`, () => {
      for (const method of ['totp', 'backup-code', 'trusted-browser', 'none'] as const) {
        expect(refusal(method, edit), method).to.deep.equal(keysAlone)
      }
      expect(refusal('webauthn', edit)).to.equal(null)
    })
  }

  it('is loosened where another role asked in its place', () => {
    const before: Policy = { ...ruled, roles: { keyholder: 'off', user: 'optional' } }
    const edit = { namedRoles: { user: 'off' } } as const
    expect(refusal('totp', edit, { ...before, mode: 'off' })).to.deep.equal(keysAlone)
    expect(
      refusal('totp', edit, { ...before, roles: { ...before.roles, keyholder: 'optional' } }),
    ).to.equal(null)
  })

  it('may be tightened, and what it accepts loosens it', () => {
    const tighter: readonly PolicyEdit[] = [
      { namedAccepts: { clerk: ['webauthn'], user: ['webauthn'] } },
      { accepts: { ...ruled.accepts } },
      { namedRoles: { keyholder: 'required' }, graceDays: 1 },
      { namedRoles: { lax: 'default' } },
      { namedAccepts: { clerk: 'default' } },
    ]
    for (const edit of tighter) expect(refusal('totp', edit)).to.equal(null)
  })
})

// A phisher relays an admin's code. Each rule takes codes, but together they leave keys alone: one is lifted, the account
// is opened by a reset, and the rule put back.
describe('Rules that only together leave security keys', () => {
  const types = ['totp', 'hotp', 'webauthn'] as const
  const refusal = (
    before: Partial<Policy>,
    edit: PolicyEdit,
    {
      routes = [],
      method = 'totp',
      backupCodes = true,
    }: { routes?: RouteRules; method?: Method; backupCodes?: boolean } = {},
  ) => {
    const policy = { ...defaultPolicy, ...before }
    const subject = { roles: ['admin'], createdAt: null, privileged: true }
    const by = { record: enrolledRecord(), subject, stamp: { method } }
    const offered = { relyingParty: { rpId: 'acme.example' }, types, routes, backupCodes }
    return policyRefusal(policy, change(policy, edit).policy, by, offered)
  }
  const keysAlone = { kind: 'stronger-factor-required', accepts: ['webauthn'] }
  const accepts = { staff: ['webauthn', 'totp'], finance: ['webauthn', 'hotp'] } as const
  const staff = { accepts: { staff: accepts.staff } }
  const routes = [accepts.finance]

  it('are loosened by a key alone: one of two roles', () => {
    for (const edit of [
      { accepts: { finance: accepts.finance } },
      { namedAccepts: { staff: 'default' } },
      { namedAccepts: { finance: ['webauthn', 'hotp', 'totp'] } },
    ] satisfies readonly PolicyEdit[]) {
      expect(refusal({ accepts }, edit)).to.deep.equal(keysAlone)
      expect(refusal({ accepts }, edit, { method: 'webauthn' })).to.equal(null)
    }
  })

  it("are loosened by a key alone: a role's beside a route's", () => {
    expect(refusal(staff, { accepts: {} }, { routes })).to.deep.equal(keysAlone)
    expect(refusal(staff, { accepts: {} }, { routes, method: 'webauthn' })).to.equal(null)
    // The key counts nowhere any more, so no rule keeps the account from a reset.
    const noKeys = { namedAccepts: { user: ['totp'] } } as const
    expect(refusal(staff, noKeys, { routes })).to.deep.equal(keysAlone)
    // Who has a key would have to set up an app in its place, and a code of that would bind the phisher's key.
    expect(refusal({}, noKeys, { routes: [['webauthn']] })).to.deep.equal(keysAlone)
  })

  it('are loosened by a key alone: backup codes that are switched on', () => {
    const before = { backupCodes: false, accepts: { staff: ['webauthn', 'backup-code'] } } as const
    expect(refusal(before, { backupCodes: true })).to.deep.equal(keysAlone)
    const ofRoute = { routes: [['webauthn', 'backup-code']] } as const
    expect(refusal({ backupCodes: false }, { backupCodes: true }, ofRoute)).to.deep.equal(keysAlone)
  })

  it('are loosened by a key alone: the app has no backup codes, whatever the policy says', () => {
    const before = {
      accepts: {
        a: ['webauthn', 'hotp', 'backup-code'],
        b: ['webauthn', 'totp', 'backup-code'],
      },
    } as const
    const edit = { namedAccepts: { b: 'default' } } as const
    expect(refusal(before, edit)).to.equal(null)
    expect(refusal(before, edit, { backupCodes: false })).to.deep.equal(keysAlone)
  })

  it('ask for none where codes opened it anyway, or keys alone still do', () => {
    const three = { ...accepts, clerk: ['webauthn', 'totp', 'hotp'] } as const
    expect(refusal({ accepts: three }, { namedAccepts: { clerk: 'default' } })).to.equal(null)
    const clerk = { accepts: { clerk: three.clerk } }
    expect(refusal(clerk, { accepts: {} }, { routes: [['totp', 'webauthn']] })).to.equal(null)
    expect(refusal(clerk, { accepts: {} }, { routes: [['hotp']] })).to.equal(null)
    expect(refusal(staff, { graceDays: 3, backupCodes: false }, { routes })).to.equal(null)
  })
})

// A phisher relays an admin's code, and has a rule no longer accept the fob of another admin, who may be reset by nobody:
// an app code of theirs, which the rule refused, leads to the set-up of the phisher's key.
describe('A rule that comes to accept less', () => {
  const types = ['totp', 'hotp', 'webauthn'] as const
  const refusal = (accepts: Policy['accepts'], edit: PolicyEdit, method: Method = 'totp') => {
    const policy = { ...defaultPolicy, accepts }
    const subject = { roles: ['admin'], createdAt: null, privileged: true }
    const record = enrolledRecord({ authenticators: [authenticatorWith(), keyWith()] })
    const by = { record, subject, stamp: { method } }
    const offered = { relyingParty: { rpId: 'acme.example' }, types, ...HERE }
    return policyRefusal(policy, change(policy, edit).policy, by, offered)
  }
  const boss = { boss: ['webauthn', 'hotp'] } as const
  const byEither = { kind: 'stronger-factor-required', accepts: ['webauthn', 'hotp'] }

  it('takes a proof that it accepts, where it is narrowed, or another role gets a rule', () => {
    for (const edit of [
      { accepts: { boss: ['webauthn'] } },
      { namedAccepts: { boss: ['hotp'] } },
      { namedAccepts: { user: ['webauthn'] } },
      { namedAccepts: { user: ['hotp', 'totp', 'backup-code'] } },
    ] satisfies readonly PolicyEdit[]) {
      expect(refusal(boss, edit)).to.deep.equal(byEither)
      expect(refusal(boss, edit, 'hotp')).to.equal(null)
      expect(refusal(boss, edit, 'webauthn')).to.equal(null)
    }
  })

  it('takes any where every device counts as before, or the role had no rule', () => {
    const kept: readonly PolicyEdit[] = [
      { namedAccepts: { user: ['webauthn', 'hotp'] } },
      { namedAccepts: { user: ['webauthn', 'hotp', 'backup-code'] } },
    ]
    for (const edit of kept)
      expect(refusal({ boss: [...boss.boss, 'backup-code'] }, edit)).to.equal(null)
    expect(refusal({}, { accepts: boss })).to.equal(null)
    expect(refusal({ clerk: ['totp', 'webauthn'] }, { accepts: { clerk: ['webauthn'] } })).to.equal(
      null,
    )
  })
})

// The mistake: a rule of keys where nobody can set one up. Every user of the role is stuck at the next login.
describe('A rule of security keys alone', () => {
  type Accepts = Policy['accepts']
  const none = { relyingParty: null, types: ['totp'], ...HERE } as const
  const refusal = (accepts: Accepts, before: Accepts = {}, offered: OfferedHere = none) =>
    policyRefusal(
      { ...defaultPolicy, accepts: before },
      { ...defaultPolicy, accepts },
      null,
      offered,
    )

  it('is refused where users cannot set one up', () => {
    const refused = { kind: 'no-keys-here' }
    expect(refusal({ user: ['webauthn', 'backup-code'] })).to.deep.equal(refused)
    const together = { user: ['webauthn', 'totp'], staff: ['webauthn', 'hotp'] } as const
    expect(refusal(together)).to.deep.equal(refused)
    // In two changes, each of which leaves a code.
    const first = { user: together.user }
    expect(refusal(first)).to.equal(null)
    expect(refusal(together, first)).to.deep.equal(refused)
    const keys = { ...none, relyingParty: { rpId: 'acme.example' }, types: ['webauthn'] } as const
    expect(refusal({ user: ['webauthn'] }, {}, keys)).to.equal(null)
  })

  it('stops nothing where it is that of another app, and no other rule needs what users set up', () => {
    const theirs = { vendor: ['webauthn'] } as const
    expect(refusal({ ...theirs, user: ['webauthn', 'totp'] }, theirs)).to.equal(null)
    expect(refusal({ user: ['hotp'] })).to.equal(null)
  })
})
