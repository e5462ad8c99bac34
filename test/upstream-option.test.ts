// The mistake: a list that believes more than the host meant, such as any login at a provider, would let users in
// by their password there, in silence. It is told at start-up.

import { expect } from 'chai'
import { createSecondStep, errors, memoryStore, type SecondStepOptions } from '../lib/index.js'
import { checkUpstream } from '../lib/options/check-upstream.js'

const issuer = 'https://idp.example'
const satisfiedBy = () => null

function refusalOf(upstream: unknown): string {
  try {
    checkUpstream(upstream as SecondStepOptions['upstream'])
  } catch (error) {
    expect(error).to.be.instanceOf(errors.ConfigurationError)
    return (error as Error).message
  }
  throw new Error('the option was accepted')
}

const believing = (belief: unknown) => ({ satisfiedBy, believe: [belief] })

describe('the option `upstream`', () => {
  it('is nobody by default', () => {
    expect(checkUpstream(undefined)).to.deep.equal({ satisfiedBy: null, beliefs: [] })
  })

  it('keeps what is listed, for five minutes unless the host says otherwise', () => {
    const believe = [
      { issuer, amr: ['mfa'] },
      { issuer: 'http://127.0.0.1:8080/realm', acr: ['phr'], maxAge: 3600 },
    ]
    expect(checkUpstream({ satisfiedBy, believe }).beliefs).to.deep.equal([
      { issuer, amr: ['mfa'], acr: null, maxAge: 300_000 },
      {
        issuer: 'http://127.0.0.1:8080/realm',
        amr: null,
        acr: ['phr'],
        maxAge: 3_600_000,
      },
    ])
  })

  it('refuses what is no such object, naming the fix', () => {
    expect(refusalOf(null)).to.include('{ satisfiedBy, believe }')
    expect(refusalOf({ believe: [{ issuer, amr: ['mfa'] }] })).to.include('satisfiedBy')
    for (const believe of [undefined, [], {}, 'https://idp.example']) {
      expect(refusalOf({ satisfiedBy, believe })).to.include('what is believed of which issuer')
    }
    expect(refusalOf({ satisfiedBy, believe: [], belief: [] })).to.include('`upstream.belief`')
    expect(refusalOf(believing({ issuer, amr: ['mfa'], max_age: 5 }))).to.include('maxAge')
    expect(refusalOf(believing(null))).to.include('`upstream.believe[0]` must be an object')
  })

  it('refuses an entry that believes any login there', () => {
    expect(refusalOf(believing({ issuer }))).to.include('believes any login there')
    for (const values of [[], 'mfa', [5], ['']]) {
      expect(refusalOf(believing({ issuer, amr: values }))).to.include('`upstream.believe[0].amr`')
      expect(refusalOf(believing({ issuer, acr: values }))).to.include('`upstream.believe[0].acr`')
    }
  })

  it('refuses methods and classes that alone are no second step', () => {
    const saml = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
    const classes = ['Password', 'PasswordProtectedTransport', 'PreviousSession', 'unspecified']
    const methods = ['pwd', 'kba', 'geo', 'rba', 'user', 'wia', 'PWD', 'password', '0']
    for (const value of [...methods, ...classes.map((name) => `${saml}${name}`)]) {
      expect(refusalOf(believing({ issuer, amr: ['mfa', value] }))).to.include(`names ${value}`)
      expect(refusalOf(believing({ issuer, acr: ['phr', value] }))).to.include(`names ${value}`)
    }
    checkUpstream({ satisfiedBy, believe: [{ issuer, acr: [`${saml}TimeSyncToken`] }] })
  })

  it('refuses an issuer that is none, or that anybody on the way could be', () => {
    for (const wrong of [
      undefined,
      5,
      '',
      'idp.example',
      'http://idp.example',
      'http://localhost.example',
      'https://idp.example/?tenant=1',
      'https://idp.example/#a',
      'javascript:1',
    ]) {
      const message = refusalOf(believing({ issuer: wrong, amr: ['mfa'] }))
      expect(message, String(wrong)).to.include('`upstream.believe[0].issuer`')
    }
  })

  it('refuses an age that is none, or longer than a day', () => {
    for (const maxAge of [0, -1, 1.5, '300', Number.NaN, Number.POSITIVE_INFINITY, 86_401]) {
      expect(refusalOf(believing({ issuer, amr: ['mfa'], maxAge }))).to.include('1 to 86400')
    }
  })

  it('is checked when the second step is made', () => {
    const make = () =>
      createSecondStep({
        issuer: 'Acme',
        origin: 'https://acme.example',
        keys: [Buffer.alloc(32, 7).toString('base64')],
        store: memoryStore(),
        upstream: { satisfiedBy, believe: [] },
      })
    expect(make).to.throw(errors.ConfigurationError, '`upstream.believe`')
  })
})
