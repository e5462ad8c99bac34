// The attack: a page that looks like the app's asks for a code and passes it on. A security key would not have answered
// there; if nothing says that it wasn't used, its owner believes that it protects them.

import { expect } from 'chai'
import type { PendingLogin } from '../../lib/domain/pending-login.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import type { Proof } from '../../lib/factors/factors.js'
import { backupCode, type Given, judge, oneTimeCode, otp } from '../support/proofs.js'
import {
  authenticatorWith,
  backupCodeSet,
  codeOf,
  enrolledRecord,
  KEY_ID,
  keyWith,
  NOW,
  STEP_NOW,
  wrongCode,
} from '../support/records.js'

const PENDING = { id: 'login', at: NOW } as PendingLogin

const withKey = (key = keyWith()) =>
  enrolledRecord({
    authenticators: [authenticatorWith(), key],
    backupCodes: backupCodeSet('one', 'two'),
    oneTimeCodes: [{ id: 'code', keyId: KEY_ID, digest: 'help', expiresAt: NOW + 1, usedAt: null }],
  })

const CODE = otp(codeOf(STEP_NOW))

/** The events of a proof that say that a key was not used. */
async function told(record: SecondStepRecord, proof: Proof, given: Given = {}) {
  const { events } = await judge(record, proof, { rpId: 'acme.example', ...given })
  return events.filter(({ type }) => type === 'weaker-method-used')
}

const used = (method: string) => [{ type: 'weaker-method-used', method }]

describe('a proof of a user whose security key could have answered', () => {
  it('is an event of its own if it is a code, wherever that came from', async () => {
    expect(await told(withKey(), CODE)).to.deep.equal(used('totp'))
    expect(await told(withKey(), backupCode('one'))).to.deep.equal(used('backup-code'))
    const pending = await told(withKey(), oneTimeCode('help'), { pending: PENDING })
    expect(pending).to.deep.equal(used('one-time-code'))
  })

  it('is none where it is wrong', async () => {
    expect(await told(withKey(), otp(wrongCode(NOW)))).to.deep.equal([])
  })

  it('is none where no key could have answered: none, of another domain, suspended, or without WebAuthn', async () => {
    expect(await told(enrolledRecord(), CODE)).to.deep.equal([])
    expect(await told(withKey(keyWith({ rpId: 'other.example' })), CODE)).to.deep.equal([])
    expect(await told(withKey(keyWith({ suspendedAt: NOW })), CODE)).to.deep.equal([])
    expect(await told(withKey(), CODE, { rpId: null })).to.deep.equal([])
  })

  it('is none where the rules of the user’s roles accept no key', async () => {
    expect(await told(withKey(), CODE, { rule: ['totp'] })).to.deep.equal([])
    expect(await told(withKey(), CODE, { rule: ['totp', 'webauthn'] })).to.deep.equal(used('totp'))
  })
})
