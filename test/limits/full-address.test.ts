// The attack: somebody whose address is full goes on with names that take long to compare.

import { expect } from 'chai'
import type { Counters } from '../../lib/ports/counters.js'
import { PasswordLimits } from '../../lib/service/password-limits.js'

describe('a password from an address that is full', () => {
  it('is refused before its names are looked at', async () => {
    const full: Counters = {
      counter: (name) => ({
        take: async () => {
          expect(name).to.equal('passwords-of-address')
          return { taken: false, left: 0, retryAfter: 1 }
        },
        giveBack: async () => undefined,
        taken: async () => 100,
      }),
    }
    const limits = new PasswordLimits(full)
    let looked = 0
    const attempt = {
      get names() {
        looked += 1
        return ['🅰'.repeat(500)]
      },
      ipKey: '203.0.113.7',
      passwordAttempts: 10,
    }
    const refused = await limits.takeForPassword(attempt)
    expect(refused).to.deep.equal({ kind: 'too-many-attempts', retryAfter: 1 })
    expect(looked).to.equal(0)
  })
})
