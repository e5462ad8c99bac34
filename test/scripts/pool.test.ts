import { expect } from 'chai'
import { type Job, runAll } from '../../scripts/testing/pool.js'

/** A job that takes some turns, and what weighs and runs beside it. */
function jobsOf(weights: readonly (1 | 2)[]) {
  const running = new Map<number, number>()
  const loads: number[] = []
  let done = 0
  const jobs = weights.map(
    (weight, index): Job => ({
      weight,
      async run(slot) {
        expect(running.has(slot), 'a slot that is taken').to.equal(false)
        running.set(slot, weight)
        loads.push([...running.values()].reduce((sum, each) => sum + each))
        for (let turn = 0; turn < 10 + index; turn += 1) await null
        running.delete(slot)
        done += 1
        return []
      },
    }),
  )
  return { jobs, loads, done: () => done }
}

describe('jobs of the tests', () => {
  it('run as many at once as weigh no more than there is room for', async () => {
    const { jobs, loads, done } = jobsOf([2, 2, 1, 1, 2, 1, 1, 1])
    await runAll(jobs, { weight: 3 })
    expect(done()).to.equal(8)
    expect(Math.max(...loads)).to.equal(3)
  })

  it('all run where there is room for the heaviest alone, and so does what they lead to', async () => {
    const { jobs, loads, done } = jobsOf([1, 2, 1])
    const { jobs: more, done: moreDone } = jobsOf([2, 1])
    const first: Job = { weight: 1, run: async () => more }
    await runAll([first, ...jobs], { weight: 2 })
    expect([done(), moreDone()]).to.deep.equal([3, 2])
    expect(Math.max(...loads)).to.equal(2)
  })

  it('are more while the machine has time left, but no more than that', async () => {
    const { jobs, loads, done } = jobsOf([2, 1, 2, 1, 1, 1, 1, 1, 1, 1])
    await runAll(jobs, { weight: 3, extra: 2, hasTimeLeft: async () => true })
    expect(done()).to.equal(10)
    expect(Math.max(...loads)).to.equal(5)
  })

  it('are no more while it has none', async () => {
    const { jobs, loads, done } = jobsOf([2, 1, 2, 1, 1, 1])
    await runAll(jobs, { weight: 3, extra: 2, hasTimeLeft: async () => false })
    expect(done()).to.equal(6)
    expect(Math.max(...loads)).to.equal(3)
  })

  it('begin with heavy ones, while there are extra ones too', async () => {
    const begun: number[] = []
    const weights = [2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1] as const
    const { jobs } = jobsOf(weights)
    const noting = jobs.map((job): Job => {
      const run = (slot: number) => {
        begun.push(job.weight)
        return job.run(slot)
      }
      return { ...job, run }
    })
    await runAll(noting, { weight: 3, extra: 2, hasTimeLeft: async () => true })
    expect(begun.lastIndexOf(2)).to.be.below(begun.length - 3)
  })
})
