// Somebody reads a log or a terminal: what an error is told with must hold no password of a driver's
// message, and nothing that the error carries beside it.

import { expect } from 'chai'
import { explain } from '../../lib/errors/explain.js'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'

const ADDRESS = 'postgres://app:hun/ter2@db'
const withCause = (message: string, cause: unknown) => new Error(message, { cause })

describe('an error, explained', () => {
  it('is told with its causes, in one line', () => {
    const cause = withCause('the pool\nis full', new Error('ECONNREFUSED'))
    expect(explain(new UnavailableError('the record store', cause))).to.equal(
      'the record store is not available: the pool is full: ECONNREFUSED',
    )
  })

  it('is told with what it gathers: the refusals of `localhost` have no message of their own', () => {
    // As Node rejects with where a name has two addresses: nobody saw why.
    const refused = ['::1', '127.0.0.1'].map((host) => new Error(`connect ECONNREFUSED ${host}`))
    const both = Object.assign(new AggregateError(refused, ''), { code: 'ECONNREFUSED' })
    expect(explain(new UnavailableError('Redis', both))).to.equal(
      'Redis is not available: ECONNREFUSED: connect ECONNREFUSED ::1: connect ECONNREFUSED 127.0.0.1',
    )
  })

  it('holds no password, wherever in the chain', () => {
    const errors = [new Error(`at ${ADDRESS}`), withCause('deep', new Error(`to ${ADDRESS}`))]
    for (const error of [
      new Error(ADDRESS),
      ADDRESS,
      withCause(ADDRESS, ADDRESS),
      new AggregateError(errors, ADDRESS),
      withCause('outer', new AggregateError(errors)),
    ]) {
      const text = explain(error)
      expect(text).to.contain('postgres://…@db')
      expect(text).to.not.match(/hun|ter2/)
    }
  })

  it('holds nothing that the error carries beside its message', () => {
    // ioredis hangs the command on its errors, the one that signs in among them.
    const command = { name: 'auth', args: ['app', 'hunter2'] }
    const error = Object.assign(new Error('WRONGPASS'), { command, input: ADDRESS })
    expect(explain(new UnavailableError('Redis', error))).to.equal(
      'Redis is not available: WRONGPASS',
    )
  })

  it('follows no cause where it is told so, and says nothing twice', () => {
    expect(explain(withCause('said', new Error('hidden')), { causes: false })).to.equal('said')
    expect(explain(withCause('said', new Error('said')))).to.equal('said')
  })

  it('ends where a cause leads back, and where there are very many', () => {
    const circle = new Error('round')
    circle.cause = withCause('and round', circle)
    expect(explain(circle)).to.equal('round: and round')
    let deep: unknown = 'x'
    for (let level = 0; level < 5000; level += 1) deep = withCause(`level ${level}`, deep)
    expect(explain(deep).length).to.be.below(500)
    const many = Array.from({ length: 5000 }, (_, index) => new Error(`no ${index}`))
    expect(explain(new AggregateError(many, 'all')).length).to.be.below(500)
  })

  it('shortens a long message in its middle, once its passwords are out', () => {
    const text = explain(new Error(`begins ${'x '.repeat(500)}password=${'hun'.repeat(200)} ends`))
    expect(text)
      .to.match(/^begins .* … .* ends$/)
      .and.not.contain('hun')
    expect(text.length).to.be.below(410)
  })

  it('never throws, for any thrown value', () => {
    const throws = () => {
      throw new Error('no')
    }
    for (const odd of [
      Object.defineProperty(new Error('x'), 'cause', { get: throws }),
      Object.defineProperty(new Error('x'), 'errors', { get: throws }),
      Object.assign(new Error(''), { code: 7, name: null, errors: 'none' }),
      new Proxy(new Error('x'), { get: throws }),
      Object.create(null),
      undefined,
      null,
    ]) {
      expect(explain(odd)).to.be.a('string')
    }
  })
})
