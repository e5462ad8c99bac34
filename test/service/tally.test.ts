import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { realmCounters } from '../../lib/limits/realm-counters.js'
import type { Counters } from '../../lib/ports/counters.js'
import { takeEach } from '../../lib/ports/take-each.js'
import { PasswordLimits } from '../../lib/service/password-limits.js'
import { Tally } from '../../lib/service/tally.js'

/** Milliseconds; two of them are more than an attempt has. */
const SLOW = 600
const NARROW = { name: 'narrow', seconds: 60 }
const WIDE = { name: 'wide', seconds: 60 }
const narrow = { counter: NARROW, key: 'key', limit: 1 }
const wide = { counter: WIDE, key: 'key', limit: 100 }

/** Counters that take several places in one call, and the calls. */
function counting() {
  const counters = memoryCounters()
  const calls: { taken: string[]; back: string[] }[] = []
  const all: Counters = {
    ...counters,
    takeAll(wanted, back) {
      calls.push({ taken: wanted.map(({ name }) => name), back: back.map(({ name }) => name) })
      return takeEach(counters, wanted, back)
    },
  }
  const takenOf = (name: string) => counters.counter(name, 60).taken('key')
  return { all, calls, takenOf }
}

describe('the places of one attempt', () => {
  for (const [name, make] of Object.entries({
    'counters that take several at once': () => counting().all,
    'counters that take one by one': memoryCounters,
    'counters of a realm': () => realmCounters(counting().all, 'staff'),
  })) {
    it(`are taken all or none, with ${name}`, async () => {
      const counters = make()
      const tally = new Tally(counters)
      expect(await tally.takeAll([wide, narrow])).to.deep.equal({ kind: 'taken', left: [99, 0] })
      const refused = await tally.takeAll([wide, narrow])
      expect(refused.kind).to.equal('refused')
      expect(refused).to.have.nested.property('retryAfter[0]', 0)
      expect(refused).to.have.nested.property('retryAfter[1]').that.is.within(50_000, 60_000)
      expect(await counters.counter('wide', 60).taken('key')).to.equal(1)
      await tally.giveBack([narrow])
      expect((await tally.takeAll([wide, narrow])).kind).to.equal('taken')
    })
  }

  it('count nothing without a key or a limit', async () => {
    const { all, calls } = counting()
    const free = [
      { ...wide, key: null },
      { ...wide, limit: Number.POSITIVE_INFINITY },
    ]
    const taken = await new Tally(all).takeAll(free)
    expect(taken.kind).to.equal('taken')
    expect(calls).to.deep.equal([])
  })

  it('do not fail for an optional one that is not free', async () => {
    for (const counters of [counting().all, memoryCounters()]) {
      const tally = new Tally(counters)
      const wanted = [{ ...narrow, optional: true }, wide]
      expect(await tally.takeAll(wanted)).to.deep.equal({ kind: 'taken', left: [0, 99] })
      expect(await tally.takeAll(wanted)).to.deep.equal({ kind: 'taken', left: [null, 98] })
    }
  })

  it('are refused by counters that answer nonsense', async () => {
    const all: Counters = { ...memoryCounters(), takeAll: async () => [] }
    expect((await new Tally(all).takeAll([wide])).kind).to.equal('refused')
  })
})

describe('places that nobody waits for', () => {
  it('are given back by the next call, before it takes', async () => {
    const { all, calls } = counting()
    const tally = new Tally(all)
    await tally.takeAll([narrow])
    tally.giveBackLater([narrow])
    expect(calls).to.have.length(1)
    expect((await tally.takeAll([narrow])).kind).to.equal('taken')
    expect(calls.slice(1)).to.deep.equal([{ taken: ['narrow'], back: ['narrow'] }])
  })

  // A hundred people sign in behind one address within a second.
  it('keep nobody out, however many there are', async () => {
    const tally = new Tally(counting().all)
    const ten = { ...wide, limit: 10 }
    for (let login = 0; login < 300; login += 1) {
      expect((await tally.takeAll([ten])).kind).to.equal('taken')
      tally.giveBackLater([ten])
    }
  })

  it('are given back by one call when the app closes', async () => {
    const { all, calls, takenOf } = counting()
    const tally = new Tally(all)
    for (let login = 0; login < 3; login += 1) await tally.takeAll([wide])
    for (let login = 0; login < 3; login += 1) tally.giveBackLater([wide])
    await tally.settle()
    expect(calls.slice(3)).to.deep.equal([{ taken: [], back: ['wide', 'wide', 'wide'] }])
    expect(await takenOf('wide')).to.equal(0)
  })

  it('are given back at once by counters that take one by one', async () => {
    const counters = memoryCounters()
    const tally = new Tally(counters)
    await tally.takeAll([narrow])
    tally.giveBackLater([narrow])
    await new Promise((resolve) => setImmediate(resolve))
    expect(await counters.counter('narrow', 60).taken('key')).to.equal(0)
  })

  it('are lost where the counters fail, and nothing else is', async () => {
    const all: Counters = { ...memoryCounters(), takeAll: () => Promise.reject(new Error('gone')) }
    const tally = new Tally(all)
    tally.giveBackLater([wide])
    await tally.settle()
    await tally.giveBack([wide])
  })
})

describe('the tries that a policy allows for a password', () => {
  const attempt = { names: ['ann'], ipKey: '203.0.113.7' }

  it('are counted by the policy of now, not by the one that was read last', async () => {
    const limits = new PasswordLimits(new Tally(counting().all))
    const take = (tries: number) =>
      limits.takeForPassword({ ...attempt, passwordAttempts: async () => tries })
    const kinds = async (tries: number, times: number) => {
      const answers = []
      for (let time = 0; time < times; time += 1) answers.push((await take(tries)).kind)
      return answers
    }
    expect(await kinds(3, 4)).to.deep.equal(['taken', 'taken', 'taken', 'too-many-attempts'])
    expect(await kinds(5, 3)).to.deep.equal(['taken', 'taken', 'too-many-attempts'])
    expect(await kinds(4, 1)).to.deep.equal(['too-many-attempts'])
    expect(await kinds(6, 2)).to.deep.equal(['taken', 'too-many-attempts'])
  })

  // Counters that fall silent in between were waited for three times: a login took three seconds to be refused.
  it('wait for the counters once more where the policy has changed', async () => {
    const { all, calls } = counting()
    const limits = new PasswordLimits(new Tally(all))
    await limits.takeForPassword({ ...attempt, passwordAttempts: async () => 5 })
    expect(calls.map(({ taken, back }) => [taken.length, back.length])).to.deep.equal([
      [2, 0],
      [2, 2],
    ])
  })

  it('are given back where the policy cannot be read', async () => {
    const { all, takenOf } = counting()
    const tally = new Tally(all)
    const limits = new PasswordLimits(tally)
    const passwordAttempts = () => Promise.reject(new Error('away'))
    const failed = limits.takeForPassword({ ...attempt, ipKey: 'key', passwordAttempts })
    await failed.then(
      () => expect.fail('it was answered'),
      (error: Error) => expect(error.message).to.equal('away'),
    )
    await tally.settle()
    expect(await takenOf('passwords-of-address')).to.equal(0)
  })

  // Counters that are slow, and not silent, would keep a visitor waiting for one limit after the other.
  it('are refused in the time of one call, and nothing stays taken', async () => {
    const { all, takenOf } = counting()
    let answer = () => {}
    const late = new Promise<void>((resolve) => {
      answer = resolve
    })
    // The places by the default are taken; then they are given back, and taken by the limit of the policy.
    let calls = 0
    const takeAll: Counters['takeAll'] = async (wanted, back) => {
      calls += 1
      if (calls === 1) await setTimeout(SLOW)
      if (calls === 2) await late
      return takeEach(all, wanted, back)
    }
    // Long enough for the calls that answer, also on a busy machine.
    const limits = new PasswordLimits(new Tally({ ...all, takeAll }, 1000))
    const passwordAttempts = async () => 3
    const taking = limits.takeForPassword({ ...attempt, ipKey: 'key', passwordAttempts })
    await expectUnavailable(taking)
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    answer()
    while (calls < 3) await turn()
    while ((await takenOf('passwords-of-address')) > 0) await turn()
  })
})

describe('the places of one attempt, taken one by one', () => {
  it('have the time of one call together', async () => {
    const { counter } = memoryCounters()
    const silent = { ...counter('narrow', 60), take: () => new Promise<never>(() => undefined) }
    const counters: Counters = {
      counter: (name, seconds) => (name === 'narrow' ? silent : counter(name, seconds)),
    }
    await expectUnavailable(new Tally(counters, 20).takeAll([{ ...wide, first: true }, narrow]))
  })
})

async function expectUnavailable(taking: Promise<unknown>): Promise<void> {
  const error = await taking.then(
    () => 'an answer',
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(UnavailableError)
}
