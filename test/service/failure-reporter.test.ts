import { expect } from 'chai'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { DAY, MINUTE, movedSystem } from '../support/clock.js'
import { warningsDuring } from '../support/warnings.js'

const away = (cause: unknown) => new UnavailableError('the record store', cause)
const REFUSED = 'passport-second-step: the record store is not available: ECONNREFUSED'

describe('the warning about a part that does not answer', () => {
  it('names the part and the cause', async () => {
    const failureReporter = new FailureReporter(movedSystem())
    const said = await warningsDuring(() => failureReporter.report(away(new Error('ECONNREFUSED'))))
    expect(said).to.deep.equal([REFUSED])
  })

  it('is said once a minute for each cause', async () => {
    // An outage would fill the log, and anybody could who makes requests while it lasts.
    const system = movedSystem()
    const failureReporter = new FailureReporter(system)
    const report = (message: string) =>
      warningsDuring(() => {
        for (let time = 0; time < 3; time += 1) failureReporter.report(away(new Error(message)))
      })
    expect(await report('ECONNREFUSED')).to.deep.equal([REFUSED])
    expect(await report('READONLY')).to.have.length(1)
    system.advance(MINUTE - 1)
    expect(await report('ECONNREFUSED')).to.deep.equal([])
    system.advance(1)
    expect(await report('ECONNREFUSED')).to.deep.equal([REFUSED])
  })

  it('is said after a clock that was ahead was set right', async () => {
    // Otherwise an outage of two days would be heard of by nobody.
    const system = movedSystem()
    const failureReporter = new FailureReporter(system)
    const report = () =>
      warningsDuring(() => failureReporter.report(away(new Error('ECONNREFUSED'))))
    system.advance(2 * DAY)
    expect(await report()).to.deep.equal([REFUSED])
    system.advance(-2 * DAY)
    expect(await report()).to.deep.equal([REFUSED])
    expect(await report()).to.deep.equal([])
  })

  it('has only the cause’s message, not its other properties', async () => {
    // ioredis hangs the whole command on its errors: a record with its sealed secret, a code.
    const command = { name: 'evalsha', args: ['{"secret":"sealed"}', '123456'] }
    const cause = Object.assign(new Error('READONLY'), { command, lastNodeError: 'node-7' })
    const warnings: Error[] = []
    const listen = (warning: Error) => void warnings.push(warning)
    const said = await warningsDuring(() => {
      process.on('warning', listen)
      new FailureReporter(movedSystem()).report(away(cause))
    })
    process.off('warning', listen)
    expect(said).to.deep.equal([
      'passport-second-step: the record store is not available: READONLY',
    ])
    const whole = warnings.map((warning) => [warning.message, warning.stack, { ...warning }])
    expect(JSON.stringify(whole)).to.not.match(/sealed|123456|evalsha|node-7/)
  })

  it('holds no password of an address, in any of its causes', async () => {
    const address = 'postgres://app:hun/ter2@db'
    const pool = new Error(`the pool of ${address}`, { cause: new Error(`no ${address}`) })
    const both = new AggregateError([new Error('refused'), new Error(`not at ${address}`)], '')
    const said = await warningsDuring(() => {
      new FailureReporter(movedSystem()).report(away(pool))
      new FailureReporter(movedSystem()).report(away(both))
    })
    const begun = 'passport-second-step: the record store is not available'
    expect(said).to.deep.equal([
      `${begun}: the pool of postgres://…@db: no postgres://…@db`,
      `${begun}: AggregateError: refused: not at postgres://…@db`,
    ])
  })

  it('copes with any thrown value', async () => {
    for (const [cause, text] of [
      ['a word', ': a word'],
      [null, ': null'],
      [undefined, ''],
    ]) {
      const said = await warningsDuring(() =>
        new FailureReporter(movedSystem()).report(away(cause)),
      )
      expect(said).to.deep.equal([`passport-second-step: the record store is not available${text}`])
    }
    expect(
      await warningsDuring(() => new FailureReporter(movedSystem()).report('a word')),
    ).to.deep.equal(['passport-second-step: a word'])
  })

  it('never throws, even for odd values, because nobody would catch it', async () => {
    // A rejection in the background with such an error ended the process.
    const failureReporter = new FailureReporter(movedSystem())
    const odd: unknown[] = [
      Object.create(null),
      Object.assign(new Error('x'), { message: 7 }),
      Object.defineProperty(new Error('x'), 'message', {
        get: () => {
          throw new Error('no')
        },
      }),
    ]
    for (const error of odd) {
      await warningsDuring(() => {
        failureReporter.report(error)
        failureReporter.report(away(error))
      })
    }
    const said = await warningsDuring(() => failureReporter.report(new Error('still here')))
    expect(said).to.deep.equal(['passport-second-step: still here'])
  })

  it('remembers a bounded number of causes', async () => {
    // Messages may hold what a visitor sent: they must not pile up in memory.
    const failureReporter = new FailureReporter(movedSystem())
    const said = await warningsDuring(() => {
      for (let cause = 0; cause < 101; cause += 1)
        failureReporter.report(away(new Error(`no ${cause}`)))
      failureReporter.report(away(new Error('no 0')))
      failureReporter.report(away(new Error('no 100')))
    })
    expect(said).to.have.length(102)
  })
})
