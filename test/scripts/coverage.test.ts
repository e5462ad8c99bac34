import { expect } from 'chai'
import { Coverage } from '../../scripts/testing/coverage.js'
import { units } from '../../scripts/testing/units.js'

const FILES = ['test/layers.test.ts', 'test/browser/look.test.ts', 'test/cli/run.test.ts']

describe('what the tests have run', () => {
  it('is summed up once, after the last unit that counts, while others go on', async () => {
    const all = units(FILES)
    let sums = 0
    const coverage = new Coverage(all, async () => {
      sums += 1
      return { reached: true, text: 'the sum' }
    })
    const [look, ...counted] = all.toSorted((one) => (one.files.includes(FILES[1] ?? '') ? -1 : 1))
    const jobs = counted.map((unit) => coverage.after(unit))
    expect(jobs.map(({ length }) => length)).to.deep.equal([0, 1])
    for (const job of jobs.flat()) expect(await job.run(0)).to.deep.equal([])
    expect(look && coverage.after(look)).to.deep.equal([])
    expect(sums).to.equal(1)
    expect(coverage.isReached()).to.equal(true)
  })

  it('is too little where the tests ended before that', () => {
    expect(new Coverage(units(FILES)).isReached()).to.equal(false)
  })
})
