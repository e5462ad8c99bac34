import { expect } from 'chai'
import { EVENT_TYPES, isAttempt } from '../../lib/domain/event-kind.js'

const actor = { kind: 'user' } as const
const admin = { kind: 'admin' } as const

describe('isAttempt', () => {
  // With a password, in a pause or by asking for what is refused, as often as one likes: a log that
  // counts these as changes is filled by them until it has forgotten the changes.
  it('includes every event that somebody without a second factor can cause at will', () => {
    expect(EVENT_TYPES.filter((type) => isAttempt({ type, actor })).toSorted()).to.deep.equal([
      'authenticator-locked',
      'change-refused',
      'logged-out',
      'mail-failed',
      'mail-reset-opened',
      'mail-reset-refused',
      'password-changed',
      'pending-login-used-up',
      'secret-unreadable',
      'sessions-ended',
      'wrong-code',
    ])
  })

  it('is so for an admin only of what they are refused: the rest takes a fresh code', () => {
    expect(EVENT_TYPES.filter((type) => isAttempt({ type, actor: admin }))).to.deep.equal([
      'change-refused',
    ])
  })
})
