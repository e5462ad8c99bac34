import { expect } from 'chai'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import { foldedEntries } from '../../lib/text/folded-events.js'
import { auditEntry } from '../support/audit-entry.js'
import { MINUTE } from '../support/clock.js'

const START = 1_800_000_000_000

/** Oldest first, a minute apart; given back as lines, newest first: the type, and how many came before it. */
function linesOf(...events: readonly (readonly [AuditEntry['type'], Partial<AuditEntry>?])[]) {
  const entries = events.map(([type, parts], index) => ({
    ...auditEntry('ann', type),
    at: START + index * MINUTE,
    ...parts,
  }))
  return foldedEntries(entries.toReversed()).map(({ entry, before }) => [entry.type, before.length])
}

describe('The lines of events', () => {
  it('have one for a login, with its wrong codes', () => {
    expect(linesOf(['wrong-code'], ['wrong-code'], ['code-accepted'])).to.deep.equal([
      ['code-accepted', 2],
    ])
    expect(linesOf(['wrong-code'], ['wrong-code'])).to.deep.equal([['wrong-code', 1]])
    expect(linesOf(['wrong-code'], ['authenticator-locked'])).to.deep.equal([
      ['authenticator-locked', 1],
    ])
  })

  // The attack: a thief guesses, the owner signs in meanwhile, and the admin sees only an owner who mistyped.
  it('keep apart what came from another address or browser, or long before', () => {
    const apart = [
      ['code-accepted', 0],
      ['wrong-code', 0],
    ]
    expect(linesOf(['wrong-code', { ip: '203.0.113.9' }], ['code-accepted'])).to.deep.equal(apart)
    expect(linesOf(['wrong-code', { userAgent: 'x' }], ['code-accepted'])).to.deep.equal(apart)
    const before = { at: START - 11 * MINUTE }
    expect(linesOf(['wrong-code', before], ['code-accepted', { at: START }])).to.deep.equal(apart)
  })

  it('keep apart users, and what something else came between', () => {
    expect(linesOf(['wrong-code', { user: 'bob' }], ['code-accepted'])).to.have.length(2)
    expect(linesOf(['wrong-code'], ['reset'], ['code-accepted'])).to.have.length(3)
    expect(linesOf(['code-accepted'], ['code-accepted'])).to.have.length(2)
    expect(
      linesOf(['wrong-code'], ['code-accepted', { user: 'bob' }], ['code-accepted']),
    ).to.deep.equal([
      ['code-accepted', 1],
      ['code-accepted', 0],
    ])
  })
})
