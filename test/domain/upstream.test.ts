// The attack: somebody has a user's password at the provider and nothing else, or a provider of their own, or an
// old sign-in at a browser that was left alone, and comes with what that provider says.

import { expect } from 'chai'
import { freshUntil, isFresh, type Stamp } from '../../lib/domain/stamp.js'
import { setupDeadlineOf } from '../../lib/domain/standing.js'
import {
  type Belief,
  believedMethods,
  countsUpstream,
  type UpstreamAuthentication,
} from '../../lib/domain/upstream.js'
import { HOUR, MINUTE, SECOND } from '../support/clock.js'
import {
  enrolledRecord,
  NOW,
  policyWith,
  recordWith,
  USER,
  userContextWith,
} from '../support/records.js'

const ISSUER = 'https://idp.example'
const belief: Belief = { issuer: ISSUER, amr: ['mfa', 'hwk'], acr: null, maxAge: 5 * MINUTE }
const good: UpstreamAuthentication = { issuer: ISSUER, amr: ['pwd', 'mfa'], acr: null, at: NOW }

const believed = (change: Partial<UpstreamAuthentication>, ...beliefs: readonly Belief[]) =>
  believedMethods({ ...good, ...change }, beliefs.length === 0 ? [belief] : beliefs, NOW) !== null

describe('what a provider says of a second step', () => {
  it('is believed by one listed method', () => {
    expect(believed({})).to.equal(true)
    expect(believed({ amr: ['hwk', 'user'] })).to.equal(true)
    expect(believed({ acr: 'whatever' })).to.equal(true)
  })

  it('is not believed by another method, by none, or by part of a name', () => {
    for (const amr of [[], ['pwd'], ['otp'], ['MFA'], ['mfa '], ['mf'], ['mfa,pwd']]) {
      expect(believed({ amr }), amr.join()).to.equal(false)
    }
  })

  it('is believed of its very issuer alone', () => {
    for (const issuer of [
      '',
      'https://idp.example/',
      'https://idp.example.attacker.example',
      'https://IDP.example',
      'http://idp.example',
    ]) {
      expect(believed({ issuer }), issuer).to.equal(false)
    }
  })

  it('is believed by class where the host lists classes, and by both where it lists both', () => {
    const byClass = { ...belief, amr: null, acr: ['phr', 'phrh'] }
    expect(believed({ amr: [], acr: 'phrh' }, byClass)).to.equal(true)
    expect(believed({ acr: null }, byClass)).to.equal(false)
    expect(believed({ acr: 'ph' }, byClass)).to.equal(false)
    const byBoth = { ...belief, acr: ['phr'] }
    expect(believed({ acr: 'phr' }, byBoth)).to.equal(true)
    expect(believed({ acr: 'pwd' }, byBoth)).to.equal(false)
    expect(believed({ acr: 'phr', amr: ['pwd'] }, byBoth)).to.equal(false)
  })

  it('is believed by one entry of several, and never by parts of two', () => {
    const other = { ...belief, issuer: 'https://other.example', amr: ['otp'] }
    expect(believed({}, other, belief)).to.equal(true)
    expect(believed({ issuer: other.issuer, amr: ['mfa'] }, other, belief)).to.equal(false)
  })

  it('is believed for as long as the host says', () => {
    expect(believed({ at: NOW - 5 * MINUTE + 1 })).to.equal(true)
    expect(believed({ at: NOW - 5 * MINUTE })).to.equal(false)
    expect(believed({ at: NOW - HOUR }, { ...belief, maxAge: 2 * HOUR })).to.equal(true)
  })

  it('is believed by a clock that is a little ahead, and not by a time to come', () => {
    expect(believed({ at: NOW + MINUTE })).to.equal(true)
    expect(believed({ at: NOW + MINUTE + SECOND })).to.equal(false)
    expect(believed({ at: Number.MAX_SAFE_INTEGER })).to.equal(false)
  })
})

describe('the methods of a second step upstream', () => {
  it('are those that the host lists, whatever else the provider says', () => {
    const methods = (amr: readonly string[], ...beliefs: readonly Belief[]) =>
      believedMethods({ ...good, amr, acr: 'phr' }, beliefs, NOW)
    expect(methods(['pwd', 'hwk', 'mfa', 'face'], belief)).to.deep.equal(['mfa', 'hwk'])
    const byClass = { ...belief, amr: null, acr: ['phr'] }
    expect(methods(['pwd', 'face'], byClass)).to.deep.equal([])
    const old = { ...belief, amr: ['face'], maxAge: 0 }
    expect(methods(['mfa', 'face'], belief, old)).to.deep.equal(['mfa'])
  })
})

describe('a second step upstream', () => {
  const stamp: Stamp = {
    id: 'stamp',
    userId: USER,
    epoch: 0,
    method: 'upstream',
    at: NOW,
    version: 1,
    instance: 0,
  }

  it('is enough for who has an authenticator, or never had to have one, and not after a reset', () => {
    expect(countsUpstream(enrolledRecord())).to.equal(true)
    expect(countsUpstream(recordWith())).to.equal(true)
    expect(countsUpstream(recordWith({ mustSetUp: { until: NOW + HOUR } }))).to.equal(false)
    expect(countsUpstream(recordWith({ mustSetUp: { until: NOW - HOUR } }))).to.equal(false)
  })

  it('is never fresh', () => {
    expect(freshUntil(stamp)).to.equal(null)
    expect(isFresh(stamp, NOW)).to.equal(false)
  })

  it('leaves no deadline to its session, except after a reset', () => {
    const required = policyWith('required')
    const due = userContextWith(recordWith(), required)
    expect(setupDeadlineOf(due, NOW)).to.be.a('number')
    expect(setupDeadlineOf(due, NOW, stamp)).to.equal(null)
    expect(setupDeadlineOf(due, NOW, { ...stamp, method: 'none' })).to.be.a('number')
    const reset = userContextWith(recordWith({ mustSetUp: { until: NOW + HOUR } }), required)
    expect(setupDeadlineOf(reset, NOW, stamp)).to.equal(NOW + HOUR)
  })
})
