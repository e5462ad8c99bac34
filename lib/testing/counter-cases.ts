import { strict as assert } from 'node:assert'
import { DAY_S, MINUTE_S } from '../domain/units.js'
import type { Counters, Taking, WantedPlace } from '../ports/counters.js'

/** The input of a case: counters with no counts. */
export interface CountersUnderTest {
  readonly counters: Counters
  /** Called after the case. Close connections and empty tables here. */
  release?(): Promise<void>
}

/** One behaviour that counters must have. It rejects with an AssertionError where they have not. */
export interface CounterCase {
  readonly name: string
  run(makeCounters: () => CountersUnderTest | Promise<CountersUnderTest>): Promise<void>
}

const TEXTS = ['a', 'A', 'b', '*', 'a:b', '__proto__', '\n', 'é', 'e\u0301', 'x'.repeat(10_000)]

/** Longer than a window of one second that began before. */
const windowEnds = () => new Promise((resolve) => setTimeout(resolve, 1050))

function places(answers: readonly Taking[]): number {
  return answers.filter((answer) => answer.taken).length
}

function takes(counters: Counters, times: number, limit: number, window = MINUTE_S) {
  const counter = counters.counter('try', window)
  return Promise.all(Array.from({ length: times }, () => counter.take('key', limit)))
}

function wantedOf(name: string, limit: number): WantedPlace {
  return { name, seconds: MINUTE_S, key: 'key', limit }
}

function counterCase(name: string, behaviour: (counters: Counters) => Promise<void>): CounterCase {
  return {
    name,
    async run(makeCounters) {
      const { counters, release } = await makeCounters()
      try {
        await behaviour(counters)
      } finally {
        await release?.()
      }
    },
  }
}

/**
 * Tells whether an adapter of the Counters port gets it right. Plain cases for any test runner.
 *
 * @example
 * for (const { name, run } of counterCases) {
 *   it(name, () => run(async () => ({ counters: myCounters(await emptyTable()) })))
 * }
 */
export const counterCases: readonly CounterCase[] = [
  counterCase('lets as many through as the limit says, in parallel too', async (counters) => {
    const answers = await takes(counters, 50, 5)
    assert.equal(places(answers), 5)
    const left = answers.flatMap((answer) => (answer.taken ? [answer.left] : []))
    assert.deepEqual(left.sort(), [0, 1, 2, 3, 4], 'each place is somebody’s')
    assert.equal(places(await takes(counters, 5, 5)), 0)
  }),

  counterCase(
    'says how long to wait, in milliseconds, and nothing to who need not',
    async (all) => {
      const counter = all.counter('try', MINUTE_S)
      assert.deepEqual(await counter.take('key', 1), { taken: true, left: 0, retryAfter: 0 })
      const { taken, left, retryAfter } = await counter.take('key', 1)
      assert.deepEqual({ taken, left }, { taken: false, left: 0 })
      assert.ok(retryAfter > 55_000 && retryAfter <= 60_000, `${retryAfter} ms`)
    },
  ),

  counterCase('takes another limit with each call', async (counters) => {
    assert.equal(places(await takes(counters, 5, 3)), 3)
    assert.equal(places(await takes(counters, 5, 4)), 1)
    assert.equal(places(await takes(counters, 5, 2)), 0)
  }),

  counterCase('lets nobody through where the limit is 0', async (counters) => {
    const answer = await counters.counter('try', MINUTE_S).take('key', 0)
    assert.equal(answer.taken, false)
    assert.ok(answer.retryAfter >= 1 && answer.retryAfter <= 60_000, `${answer.retryAfter} ms`)
    assert.equal(places(await takes(counters, 2, 1)), 1)
  }),

  counterCase('knows limits that nobody reaches', async (counters) => {
    assert.equal(places(await takes(counters, 2, 1_000_000_000_000)), 2)
  }),

  counterCase('tells how many places are taken, and takes none by it', async (counters) => {
    const counter = counters.counter('try', MINUTE_S)
    assert.equal(await counter.taken('key'), 0)
    await takes(counters, 5, 2)
    for (let read = 0; read < 3; read += 1) assert.equal(await counter.taken('key'), 2)
    await counter.giveBack('key')
    assert.equal(await counter.taken('key'), 1)
    assert.equal(await counter.taken('another'), 0)
    assert.equal(places(await takes(counters, 5, 2)), 1)
  }),

  counterCase('tells of no place once the window is over, and opens none by it', async (all) => {
    const counter = all.counter('try', 1)
    await counter.take('key', 1)
    await windowEnds()
    assert.equal(await counter.taken('key'), 0)
    await windowEnds()
    assert.equal((await counter.take('key', 1)).taken, true)
  }),

  counterCase('gives a place back', async (counters) => {
    const counter = counters.counter('try', MINUTE_S)
    await counter.take('key', 1)
    await counter.giveBack('key')
    assert.equal(places(await takes(counters, 2, 1)), 1)
  }),

  counterCase('gives back no place that nobody has taken', async (counters) => {
    const counter = counters.counter('try', MINUTE_S)
    await counter.giveBack('key')
    await counter.take('key', 2)
    for (let given = 0; given < 5; given += 1) await counter.giveBack('key')
    assert.equal(places(await takes(counters, 10, 2)), 2)
  }),

  counterCase('keeps no place for calls that were refused', async (counters) => {
    const counter = counters.counter('try', MINUTE_S)
    await takes(counters, 30, 5)
    for (let given = 0; given < 5; given += 1) await counter.giveBack('key')
    assert.equal(places(await takes(counters, 30, 5)), 5)
  }),

  counterCase('counts names and keys apart', async (counters) => {
    for (const key of TEXTS) {
      for (const name of ['one', 'two', 'realm:one']) {
        const counter = counters.counter(name, MINUTE_S)
        assert.equal((await counter.take(key, 1)).taken, true, `${name} ${key.slice(0, 20)}`)
        assert.equal((await counter.take(key, 1)).taken, false, `${name} ${key.slice(0, 20)}`)
      }
    }
  }),

  counterCase('begins anew when the window is over, and not before', async (counters) => {
    assert.equal(places(await takes(counters, 3, 2, 1)), 2)
    await windowEnds()
    assert.equal(places(await takes(counters, 50, 2, 1)), 2)
  }),

  // Somebody takes a place, waits for the window's end and gives back: one guess more each time.
  counterCase('gains nothing by giving back after the end of the window', async (counters) => {
    const counter = counters.counter('try', 1)
    for (let times = 0; times < 3; times += 1) await counter.take('key', 3)
    await windowEnds()
    for (let times = 0; times < 3; times += 1) await counter.giveBack('key')
    assert.equal(places(await takes(counters, 10, 3, 1)), 3)
  }),

  counterCase('keeps windows of a second and of a day apart', async (counters) => {
    const [second, day] = [counters.counter('second', 1), counters.counter('day', DAY_S)]
    await Promise.all([second.take('key', 1), day.take('key', 1)])
    await windowEnds()
    assert.equal((await second.take('key', 1)).taken, true)
    assert.equal((await day.take('key', 1)).taken, false)
  }),

  counterCase('takes the places of one call all, or none', async (counters) => {
    if (counters.takeAll === undefined) return
    const [narrow, wide] = [wantedOf('narrow', 2), wantedOf('wide', 5)]
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => counters.takeAll?.([wide, narrow], []) ?? []),
    )
    const taken = answers.filter((answer) => answer.every((taking) => taking.taken))
    assert.equal(taken.length, 2)
    const left = taken.map((answer) => answer.map((taking) => taking.left).join())
    assert.deepEqual(left.sort(), ['3,0', '4,1'], 'each is answered in the order of the call')
    assert.equal(await counters.counter('wide', MINUTE_S).taken('key'), 2)

    const [free, full] = (await counters.takeAll([wide, narrow], [])) ?? []
    assert.deepEqual(free, { taken: false, left: 0, retryAfter: 0 })
    assert.equal(full?.taken, false)
    assert.ok((full?.retryAfter ?? 0) > 50_000, `${full?.retryAfter} ms`)
  }),

  counterCase(
    'takes an optional place of a call if it is free, and refuses nobody for it',
    async (counters) => {
      if (counters.takeAll === undefined) return
      const wanted = wantedOf('try', 2)
      const optional = { ...wantedOf('optional', 1), optional: true }
      const takings = async () =>
        ((await counters.takeAll?.([optional, wanted], [])) ?? []).map(({ taken }) => taken)
      assert.deepEqual(await takings(), [true, true])
      assert.deepEqual(await takings(), [false, true])
      assert.deepEqual(await takings(), [false, false])
      await counters.takeAll([], [optional])
      assert.deepEqual(await takings(), [false, false])
      assert.equal(
        await counters.counter('optional', MINUTE_S).taken('key'),
        0,
        'none of a refused call',
      )
    },
  ),

  counterCase('gives places back before it takes others in one call', async (counters) => {
    if (counters.takeAll === undefined) return
    const [wanted, other] = [wantedOf('try', 1), wantedOf('other', 1)]
    await counters.takeAll([wanted, other], [])
    const [taking] = await counters.takeAll([wanted], [wanted, other])
    assert.deepEqual(taking, { taken: true, left: 0, retryAfter: 0 })
    assert.equal(await counters.counter('other', MINUTE_S).taken('key'), 0)
    await counters.takeAll([], [wanted, wanted, other])
    assert.equal(await counters.counter('try', MINUTE_S).taken('key'), 0)
    assert.equal(places(await takes(counters, 5, 1)), 1)
  }),
]
