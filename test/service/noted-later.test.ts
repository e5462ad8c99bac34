// The mistake: entries are counted after they are kept, and some are counted twice, or never, or in a count that
// nobody looks at: the log then leaves out what it should have, or has no limit.

import { expect } from 'chai'
import { notedADay } from '../../lib/domain/event-kind.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import type { Counters } from '../../lib/ports/counters.js'
import { takeEach } from '../../lib/ports/take-each.js'
import { NotedAttempts } from '../../lib/service/noted-attempts.js'
import { Tally } from '../../lib/service/tally.js'
import { USER } from '../support/records.js'

const NOTED = { name: 'noted-attempts', seconds: 86_400 }
const NARROW = { counter: { name: 'narrow', seconds: 60 }, key: 'key', limit: 1 }
const WIDE = { ...NARROW, limit: 100 }
const used = {
  type: 'backup-code-used',
  method: 'backup-code',
  user: USER,
  actor: { kind: 'user', id: USER },
} as AuditEntry
const LIMIT = notedADay(used) ?? 0

function world() {
  const counters = memoryCounters()
  const failing = { now: false }
  const silent = { now: false }
  const sent: { names: string[] }[] = []
  const all: Counters = {
    ...counters,
    async takeAll(wanted, back) {
      if (failing.now) throw new Error('gone')
      if (silent.now) return new Promise(() => undefined)
      sent.push({ names: wanted.map(({ name }) => name) })
      return takeEach(counters, wanted, back)
    },
  }
  const processOf = (its = all, timeout?: number) => {
    const tally = new Tally(its, timeout)
    return { tally, noted: new NotedAttempts(tally) }
  }
  const key = JSON.stringify([used.type, used.method, USER, null])
  const taken = () => counters.counter(NOTED.name, NOTED.seconds).taken(key)
  return { ...processOf(), processOf, counters, sent, taken, failing, silent }
}

const away = () => Promise.reject(new Error('away'))

type Process = ReturnType<ReturnType<typeof world>['processOf']>

const isNoted = async ({ noted }: Pick<Process, 'noted'>) =>
  (await noted.toKeep([used])).length === 1

/** So many that are counted before the next. */
async function fill(one: Process, entries: number): Promise<number> {
  let count = 0
  for (let nth = 0; nth < entries; nth += 1) {
    if (await isNoted(one)) count += 1
    await one.tally.settle()
  }
  return count
}

describe('an entry of a kind that is kept so many times a day', () => {
  it('is kept without a call, and counted by the next one', async () => {
    const { noted, tally, sent, taken } = world()
    expect(await isNoted({ noted })).to.equal(true)
    expect(sent).to.deep.equal([])
    await tally.takeAll([WIDE])
    expect(sent).to.deep.equal([{ names: ['narrow', 'noted-attempts'] }])
    expect(await taken()).to.equal(1)
  })

  it('is kept exactly so many times a day, one after the other', async () => {
    const one = world()
    expect(await fill(one, LIMIT + 10)).to.equal(LIMIT)
    expect(await one.taken()).to.equal(LIMIT)
  })

  it('is kept so many times by all processes, and once more by one that has not heard of it', async () => {
    const one = world()
    await fill(one, LIMIT)
    const other = one.processOf()
    expect(await fill(other, 5)).to.equal(1)
    expect(await one.taken()).to.equal(LIMIT)
  })

  it('is kept again when there are places again', async () => {
    const one = world()
    await fill(one, LIMIT + 1)
    await one.noted.giveBack([used, used])
    expect(await fill(one, 5)).to.equal(2)
  })

  it('is counted when the app closes, however many there are', async () => {
    const { noted, tally, taken } = world()
    for (let nth = 0; nth < 7; nth += 1) await isNoted({ noted })
    await tally.settle()
    expect(await taken()).to.equal(7)
  })

  // The attack: as many at once as nobody can count one by one.
  it('is kept once too often at most, by many at once', async () => {
    const one = world()
    await fill(one, LIMIT - 3)
    const other = one.processOf()
    const kept = await Promise.all(Array.from({ length: 50 }, () => isNoted(other)))
    await other.tally.settle()
    expect(kept.filter(Boolean).length).to.be.within(3, 4)
    expect(await one.taken()).to.equal(LIMIT)
  })

  it('is kept once too often at most, while the call that counts is slow', async () => {
    const one = world()
    await fill(one, LIMIT - 1)
    const other = one.processOf()
    let kept = 0
    const settling: Promise<void>[] = []
    for (let nth = 0; nth < 20; nth += 1) {
      if (await isNoted(other)) kept += 1
      settling.push(other.tally.settle())
    }
    await Promise.all(settling)
    expect(kept).to.be.within(1, 2)
  })

  it('is counted though the attempt that carries it is refused', async () => {
    const { noted, tally, sent, taken } = world()
    await tally.takeAll([NARROW])
    await isNoted({ noted })
    for (let nth = 0; nth < 3; nth += 1) {
      expect((await tally.takeAll([NARROW])).kind).to.equal('refused')
    }
    expect(await taken()).to.equal(0)
    await tally.settle()
    expect(await taken()).to.equal(1)
    expect(sent.at(-1)).to.deep.equal({ names: ['noted-attempts'] })
  })

  it('refuses no attempt that carries it', async () => {
    const one = world()
    await fill(one, LIMIT)
    const other = one.processOf()
    await isNoted(other)
    expect(await other.tally.takeAll([WIDE])).to.deep.equal({ kind: 'taken', left: [99] })
    expect(await isNoted(other)).to.equal(false)
  })

  it('is not counted where its entry could not be written, early or late', async () => {
    const { noted, tally, taken } = world()
    await isNoted({ noted })
    await noted.giveBack([used])
    await tally.settle()
    expect(await taken()).to.equal(0)
    await isNoted({ noted })
    await tally.settle()
    await noted.giveBack([used])
    expect(await taken()).to.equal(0)
  })

  it('is kept while the counters are away, and nothing else is lost by that', async () => {
    const one = world()
    await fill(one, LIMIT)
    one.failing.now = true
    expect(await isNoted(one), 'a full log is better than a missing entry').to.equal(true)
    await isNoted(one.processOf())
    await one.tally.settle()
    one.failing.now = false
    expect(await one.taken()).to.equal(LIMIT)
    expect(await fill(one, 3)).to.be.at.most(1)
  })

  // The attack: counters are made slow, and one's own traces go out of the log with what has had its places already.
  it('is left out while the counters are silent, where its places were taken', async () => {
    const { processOf, silent } = world()
    const one = processOf(undefined, 40)
    await fill(one, LIMIT + 1)
    silent.now = true
    expect(await isNoted(one)).to.equal(false)
  })

  // A cluster that has lost the servers of some keys.
  it('is kept while its own count is away, and the others are not', async () => {
    const { counters, processOf } = world()
    const partly: Counters = {
      counter(name, seconds) {
        const counter = counters.counter(name, seconds)
        return name === NOTED.name ? { ...counter, take: async () => away() } : counter
      },
    }
    const takeAll: Counters['takeAll'] = (wanted, back) => takeEach(partly, wanted, back)
    for (const its of [partly, { ...partly, takeAll }]) {
      const one = processOf(its)
      for (let nth = 0; nth < 3; nth += 1) expect(await isNoted(one)).to.equal(true)
      expect((await one.tally.takeAll([WIDE])).kind).to.equal('taken')
      await one.tally.settle()
      for (let nth = 0; nth < 3; nth += 1) expect(await isNoted(one)).to.equal(true)
    }
  })

  it('waits for no call of counters that take one by one either', async () => {
    const { counters, processOf, taken } = world()
    let answer: () => void = () => undefined
    const slow: Counters = {
      counter: (name, seconds) => ({
        ...counters.counter(name, seconds),
        take: async (key, limit) => {
          await new Promise<void>((resolve) => {
            answer = resolve
          })
          return counters.counter(name, seconds).take(key, limit)
        },
      }),
    }
    const one = processOf(slow)
    expect(await isNoted(one)).to.equal(true)
    expect(await taken()).to.equal(0)
    const settled = one.tally.settle()
    answer()
    await settled
    expect(await taken()).to.equal(1)
  })

  it('is kept exactly so many times with counters that take one by one', async () => {
    const one = world()
    const plain = one.processOf(one.counters)
    expect(await fill(plain, LIMIT + 5)).to.equal(LIMIT)
    expect(await one.taken()).to.equal(LIMIT)
  })
})
