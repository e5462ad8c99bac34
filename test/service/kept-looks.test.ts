// The mistake: what is kept of a user is older than its host has allowed, so that a session that was ended
// lives on.

import { expect } from 'chai'
import { defaultPolicy } from '../../lib/domain/policy.js'
import { blankRecord } from '../../lib/domain/record.js'
import { KeptLooks, type Look } from '../../lib/service/kept-looks.js'
import { movedSystem } from '../support/clock.js'

const look = (userId = 'ann', version = 1): Look => ({
  record: { ...blankRecord(userId), version },
  policy: defaultPolicy,
})

/** A read whose end the test decides. */
function parkedRead() {
  let answer: (look: Look) => void = () => undefined
  const read = new Promise<Look>((resolve) => {
    answer = resolve
  })
  return { read: () => read, answer }
}

describe('what is kept of a read', () => {
  function world(keptAtMost?: number) {
    const system = movedSystem()
    return { system, kept: new KeptLooks(1000, system, keptAtMost) }
  }

  it('is good for the time that the host has allowed, and not a millisecond longer', async () => {
    const { kept, system } = world()
    await kept.read('ann', async () => look())
    system.advance(999)
    expect(kept.find('ann')?.record.version).to.equal(1)
    system.advance(1)
    expect(kept.find('ann')).to.equal(null)
  })

  it('counts its time from before the read was begun', async () => {
    const { kept, system } = world()
    await kept.read('ann', async () => {
      system.advance(900)
      return look()
    })
    system.advance(99)
    expect(kept.find('ann')).to.not.equal(null)
    system.advance(1)
    expect(kept.find('ann')).to.equal(null)
  })

  it('is not there after a read that took all the time there is', async () => {
    const { kept, system } = world()
    await kept.read('ann', async () => {
      system.advance(1000)
      return look()
    })
    expect(kept.find('ann')).to.equal(null)
  })

  for (const [name, at] of Object.entries({ back: -3_600_000, ahead: 3_600_000 })) {
    it(`does not live longer where the system’s clock is set ${name}`, async () => {
      const clocks = { now: 1_700_000_000_000, elapsed: 0 }
      const kept = new KeptLooks(1000, {
        now: () => clocks.now,
        monotonic: () => clocks.elapsed,
        random: (size) => new Uint8Array(size),
      })
      await kept.read('ann', async () => look())
      clocks.elapsed += 1000
      expect(kept.find('ann'), 'by the clock that is never set').to.equal(null)
      await kept.read('ann', async () => look())
      clocks.now += at
      expect(kept.find('ann'), 'after a suspension').to.equal(null)
    })
  }

  it('goes by a real clock where the host’s system has none that is never set', async () => {
    const now = movedSystem().now()
    const kept = new KeptLooks(60_000, { now: () => now, random: (size) => new Uint8Array(size) })
    await kept.read('ann', async () => look())
    expect(kept.find('ann')).to.not.equal(null)
  })

  it('is gone when it is dropped, of this user alone', async () => {
    const { kept } = world()
    await kept.read('ann', async () => look())
    await kept.read('bob', async () => look('bob'))
    kept.drop('ann')
    expect(kept.find('ann')).to.equal(null)
    expect(kept.find('bob')).to.not.equal(null)
    kept.dropAll()
    expect(kept.find('bob')).to.equal(null)
  })

  for (const drop of ['drop', 'dropAll'] as const) {
    it(`is nothing where ${drop}() has overtaken the read`, async () => {
      const { kept } = world()
      const { read, answer } = parkedRead()
      const reading = kept.read('ann', read)
      kept[drop]('ann')
      answer(look())
      expect((await reading).record.version).to.equal(1)
      expect(kept.find('ann')).to.equal(null)
    })

    it(`is what a read has found that was begun after ${drop}(), and not that of one begun before`, async () => {
      const { kept } = world()
      const [before, after] = [parkedRead(), parkedRead()]
      const reads = [kept.read('ann', before.read)]
      kept[drop]('ann')
      reads.push(kept.read('ann', after.read))
      after.answer(look('ann', 2))
      await reads[1]
      before.answer(look('ann', 1))
      await reads[0]
      expect(kept.find('ann')?.record.version).to.equal(2)
    })

    it(`is nothing where ${drop}() has overtaken the second of two reads`, async () => {
      const { kept } = world()
      const [first, second] = [parkedRead(), parkedRead()]
      const reads = [kept.read('ann', first.read), kept.read('ann', second.read)]
      first.answer(look())
      await reads[0]
      kept[drop]('ann')
      second.answer(look())
      await reads[1]
      expect(kept.find('ann')).to.equal(null)
    })
  }

  it('is not the end of another user’s read', async () => {
    const { kept } = world()
    const { read, answer } = parkedRead()
    const reading = kept.read('ann', read)
    kept.drop('bob')
    answer(look())
    await reading
    expect(kept.find('ann')).to.not.equal(null)
  })

  it('is nothing where the read has failed', async () => {
    const { kept } = world()
    const failing = kept.read('ann', () => Promise.reject(new Error('away')))
    expect(await failing.catch((error: Error) => error.message)).to.equal('away')
    expect(kept.find('ann')).to.equal(null)
    await kept.read('ann', async () => look())
    expect(kept.find('ann')).to.not.equal(null)
  })

  it('is of so many users at most', async () => {
    const { kept } = world(2)
    for (const id of ['ann', 'bob', 'eve']) await kept.read(id, async () => look(id))
    const found = ['ann', 'bob', 'eve'].map((id) => kept.find(id) !== null)
    expect(found).to.deep.equal([false, true, true])
  })
})
