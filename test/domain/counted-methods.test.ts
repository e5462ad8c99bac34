import { expect } from 'chai'
import { anyOf, countedMethods, type ProofRules } from '../../lib/domain/counted-methods.js'
import type { PendingLogin } from '../../lib/domain/pending-login.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { FACTOR_METHODS, type FactorMethod } from '../../lib/factors/factors.js'
import { NO_RULES } from '../support/proofs.js'
import { authenticatorWith, enrolledRecord, hotpWith, keyWith } from '../support/records.js'

const PENDING = { id: 'login' } as PendingLogin

const touches = (...methods: readonly FactorMethod[]) => ({ touches: () => methods })

const counted = (rules: Partial<ProofRules>, opens?: 'setup') =>
  countedMethods(enrolledRecord(), { ...NO_RULES, pending: null, ...rules }, opens)

describe('The methods that count', () => {
  it('are all where no rule says, or none of what a route accepts is touched or had', () => {
    expect(counted({})).to.equal(null)
    expect(counted({ routes: [['totp']] })).to.equal(null)
    expect(counted({ routes: [['totp']], ...touches('hotp') })).to.equal(null)
    expect(counted({ routes: [['webauthn']], ...touches('webauthn') })).to.equal(null)
  })

  it('are those that the rules of roles and the routes that bind have in common', () => {
    const route: ProofRules['routes'] = [['totp', 'hotp']]
    expect(counted({ routes: route, ...touches('totp') })).to.deep.equal(['totp', 'hotp'])
    const both = { accepted: ['totp', 'backup-code'], routes: route } as const
    expect(counted(both)).to.deep.equal(['totp', 'backup-code'])
    expect(counted({ ...both, ...touches('totp') })).to.deep.equal(['totp'])
    const apart: ProofRules['routes'] = [
      ['totp', 'hotp'],
      ['totp', 'webauthn'],
    ]
    expect(counted({ routes: apart, ...touches(...FACTOR_METHODS) })).to.deep.equal(['totp'])
  })

  // An app and a fob, each of a route that does not take the other; then a rule of the role that takes keys alone.
  it('that lead to what the user lacks are those of any route, where all routes have nothing of the user’s in common', () => {
    const routes: ProofRules['routes'] = [
      ['webauthn', 'totp'],
      ['webauthn', 'hotp'],
    ]
    const [app, fob, key] = [authenticatorWith(), hotpWith(), keyWith()]
    const leading = (
      authenticators: SecondStepRecord['authenticators'],
      rules: Partial<ProofRules> = {},
    ) => {
      const all: ProofRules = { ...NO_RULES, pending: PENDING, accepted: ['webauthn'], routes }
      return countedMethods(enrolledRecord({ authenticators }), { ...all, ...rules })
    }
    expect(leading([app, fob])).to.have.members(['totp', 'hotp', 'webauthn'])
    expect(leading([app])).to.deep.equal(['webauthn', 'totp'])
    expect(leading([app, fob], { pending: null })).to.deep.equal(['webauthn'])
    // What their key opens is not opened by less.
    const apart: Partial<ProofRules> = { accepted: ['hotp'], routes: [['webauthn'], ['totp']] }
    expect(leading([app, key], apart)).to.deep.equal(['webauthn'])
  })

  it('of what opens a set-up are those of every route that binds: it replaces everything', () => {
    expect(counted({ routes: [['totp']] }, 'setup')).to.deep.equal(['totp'])
  })

  it('are of any list, where several have refused', () => {
    expect(anyOf([['hotp'], ['totp', 'hotp']])).to.deep.equal(['totp', 'hotp'])
  })
})
