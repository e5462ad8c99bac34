// The mistake: a mail tells whoever has a security key that a lock leaves them no way in.

import { expect } from 'chai'
import type { PolicyMode, Subject } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { mailedDevicesIn } from '../../lib/service/mailed-devices.js'
import {
  authenticatorWith,
  KEY_IDS,
  keyWith,
  NOBODY_SPECIAL,
  NOW,
  policyWith,
  recordWith,
} from '../support/records.js'

describe('What a mail knows of devices', () => {
  const known = (
    authenticators: SecondStepRecord['authenticators'],
    relyingParty: { rpId: string } | null = { rpId: keyWith().rpId },
    { mode = 'optional', subject = NOBODY_SPECIAL }: { mode?: PolicyMode; subject?: Subject } = {},
  ) => {
    const record = recordWith({ authenticators })
    const records = { read: async () => ({ record, policy: policyWith(mode) }) }
    const find = mailedDevicesIn({
      records,
      keyIds: KEY_IDS,
      window: 1,
      relyingParty,
      now: () => NOW,
    })
    return find(record.userId, subject)
  }

  it('is whether a key of theirs is asked', async () => {
    expect(await known([authenticatorWith(), keyWith()])).to.include({ source: 'app', keys: true })
    expect(await known([keyWith()])).to.include({ source: 'none', keys: true, count: 1 })
    expect(await known([authenticatorWith()])).to.include({ source: 'app', keys: false })
  })

  it('is no key that this host does not ask', async () => {
    for (const other of [{ rpId: 'other.example' }, null]) {
      expect(await known([keyWith()], other)).to.include({ keys: false })
    }
  })

  it('is whether the policy asks for them, as it asks an admin always', async () => {
    const asked = async (mode: PolicyMode, privileged = false) =>
      (await known([], null, { mode, subject: { ...NOBODY_SPECIAL, privileged } })).asked
    expect(await asked('optional')).to.equal(true)
    expect(await asked('off')).to.equal(false)
    expect(await asked('off', true)).to.equal(true)
  })

  // "Your other devices keep working", of a key that is suspended, or was made for another domain.
  it('is how many of them work', async () => {
    const [app, suspended] = [authenticatorWith(), keyWith({ suspendedAt: NOW })]
    expect(await known([app, keyWith(), suspended])).to.include({ count: 2 })
    expect(await known([app, suspended, keyWith({ rpId: 'other.example' })])).to.include({
      count: 1,
    })
    expect(await known([app, keyWith()], null)).to.include({ count: 1 })
  })
})
