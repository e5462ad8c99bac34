// The mistake: the app moves to another domain. Every security key is of no use from then on, and nobody hears of
// it before the users do.

import { expect } from 'chai'
import type { WebauthnAuthenticator } from '../../lib/factors/webauthn/kept.js'
import { MovedKeys } from '../../lib/service/moved-keys.js'
import { authenticatorWith, enrolledRecord, NOW } from '../support/records.js'

function keyOf(rpId: string, id: string): WebauthnAuthenticator {
  return {
    ...{ id, type: 'webauthn', name: null, since: NOW, lastUsedAt: null, serial: null, rpId },
    ...{ credentialId: id, publicKey: 'BBBB', counter: 0, transports: [], handle: 'CCCC' },
    ...{ backupEligible: false, backedUp: false, suspendedAt: null },
  }
}

describe('security keys of another domain, at check', () => {
  it('are counted by their users, and those told apart who have nothing else', () => {
    const moved = new MovedKeys('new.example')
    const [old, present] = [keyOf('old.example', 'old'), keyOf('new.example', 'new')]
    for (const authenticators of [
      [authenticatorWith()],
      [present],
      [old],
      [old, keyOf('old.example', 'second')],
      [old, present],
      [authenticatorWith(), old],
    ]) {
      moved.add(enrolledRecord({ authenticators }))
    }
    expect(moved.counts).to.deep.equal({ users: 4, stranded: 2 })
    expect(moved.sentences().join()).to.match(
      /^4 users .* new\.example.* 2 of them have no other device/,
    )
    expect(new MovedKeys('new.example').sentences()).to.deep.equal([])
  })
})
