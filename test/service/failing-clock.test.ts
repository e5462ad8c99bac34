// The mistake: the host's clock fails in what nobody waits for, and the rejection, which nobody handles, ends the process.

import { expect } from 'chai'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { Announcer } from '../../lib/service/announcer.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { GuessWarnings } from '../../lib/service/guess-warnings.js'
import { LateWrites } from '../../lib/service/late-writes.js'
import { HOUR, movedSystem } from '../support/clock.js'
import { USER } from '../support/records.js'
import { warningsDuring } from '../support/warnings.js'
import { requestInfo } from './scripted-store.js'

const stopped = new Error('the clock has stopped')
const now = (): number => {
  throw stopped
}
const system = { ...movedSystem(), now }

/** What is told to the operator while something runs. */
async function reported(run: (report: (error: unknown) => void) => Promise<void>) {
  const told: unknown[] = []
  await run((error) => told.push(error))
  return told
}

describe('a clock that fails is told to the operator', () => {
  it('where a wrong code is worth a mail', async () => {
    const told = await reported(async (report) => {
      const announcer = new Announcer(movedSystem())
      const mailer = { send: async () => true }
      const counters = memoryCounters()
      const warnings = new GuessWarnings({ announcer, counters, mailer, now, report })
      for (let code = 0; code < 3; code += 1) warnings.missed(USER, requestInfo)
      await warnings.settled()
    })
    expect(told).to.deep.equal([stopped])
  })

  it('where late writes are looked for', async () => {
    const told = await reported(async (report) => {
      await new LateWrites(system, { every: HOUR, report }).look()
    })
    expect(told).to.deep.equal([stopped])
  })

  it('although it dates what is told', async () => {
    const reporter = new FailureReporter(system)
    const said = await warningsDuring(() => reporter.report(stopped))
    expect(said).to.deep.equal(['passport-second-step: the clock has stopped'])
  })
})
