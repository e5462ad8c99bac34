import { expect } from 'chai'
import { anyOf, countedMethods, type ProofRules } from '../../lib/domain/counted-methods.js'
import { FACTOR_METHODS, type FactorMethod } from '../../lib/factors/factors.js'
import { NO_RULES } from '../support/proofs.js'
import { enrolledRecord } from '../support/records.js'

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

  it('of what opens a set-up are those of every route that binds: it replaces everything', () => {
    expect(counted({ routes: [['totp']] }, 'setup')).to.deep.equal(['totp'])
  })

  it('are of any list, where several have refused', () => {
    expect(anyOf([['hotp'], ['totp', 'hotp']])).to.deep.equal(['totp', 'hotp'])
  })
})
