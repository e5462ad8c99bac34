// The attack: somebody whose address is full goes on with names that take long to compare.

import { expect } from 'chai'
import type { Counters } from '../../lib/ports/counters.js'
import { PasswordLimits } from '../../lib/service/password-limits.js'
import { Tally } from '../../lib/service/tally.js'

describe('a password from an address that is full', () => {
  const taken: string[] = []
  const full: Counters = {
    counter: (name) => ({
      take: async () => {
        taken.push(name)
        return { taken: false, left: 0, retryAfter: 1 }
      },
      giveBack: async () => undefined,
      taken: async () => 100,
    }),
  }
  beforeEach(() => taken.splice(0))

  const attempt = { ipKey: '203.0.113.7', passwordAttempts: async () => 10 }

  it('is refused before its long names are compared', async () => {
    let compared = 0
    const names = ['🅰'.repeat(500)]
    Reflect.set(names, Symbol.iterator, () => {
      compared += 1
      return [][Symbol.iterator]()
    })
    const refused = await new PasswordLimits(new Tally(full)).takeForPassword({ ...attempt, names })
    expect(refused).to.deep.equal({ kind: 'too-many-attempts', retryAfter: 1 })
    expect(taken).to.deep.equal(['passwords-of-address'])
    expect(compared).to.equal(0)
  })

  it('opens no counts of accounts where places are taken one by one', async () => {
    const names = ['ann', 'ünal']
    const refused = await new PasswordLimits(new Tally(full)).takeForPassword({ ...attempt, names })
    expect(refused).to.deep.equal({ kind: 'too-many-attempts', retryAfter: 1 })
    expect(taken).to.deep.equal(['passwords-of-address'])
  })
})
