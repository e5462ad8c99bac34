// The mistake: a read is shared with somebody who asked after it began, who so gets what was there before.

import { expect } from 'chai'
import { SharedRead } from '../../lib/service/shared-read.js'

describe('a shared read', () => {
  it('begins after all have asked who get its answer', async () => {
    const begun: string[] = []
    let stored = 'before'
    const shared = new SharedRead(async () => {
      begun.push(stored)
      return stored
    })
    const first = shared.read()
    stored = 'changed meanwhile'
    const second = shared.read()
    expect(await first).to.equal('changed meanwhile')
    expect(await second).to.equal('changed meanwhile')
    expect(begun).to.have.length(1)
  })

  it('is not shared with who asks once it has begun', async () => {
    const answers: (() => void)[] = []
    let stored = 1
    const shared = new SharedRead(() => {
      const read = stored
      return new Promise<number>((resolve) => answers.push(() => resolve(read)))
    })
    const first = shared.read()
    while (answers.length < 1) await new Promise(setImmediate)
    stored = 2
    const second = shared.read()
    while (answers.length < 2) await new Promise(setImmediate)
    for (const answer of answers) answer()
    expect([await first, await second]).to.deep.equal([1, 2])
  })

  it('fails for all who share it, and is begun anew after that', async () => {
    let fails = true
    const shared = new SharedRead(async () => {
      if (fails) throw new Error('the store is away')
      return 1
    })
    const both = await Promise.allSettled([shared.read(), shared.read()])
    expect(both.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    fails = false
    expect(await shared.read()).to.equal(1)
  })

  it('fails, and ends no process, where the call throws at once', async () => {
    const shared = new SharedRead<number>(() => {
      throw new Error('nonsense')
    })
    const [outcome] = await Promise.allSettled([shared.read()])
    expect(outcome?.status).to.equal('rejected')
  })
})
