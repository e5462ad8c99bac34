// The mistake: the host's clock fails in what nobody waits for, and the rejection, which nobody handles, ends the process.

import { expect } from 'chai'
import { defaultPolicy } from '../../lib/domain/policy.js'
import { blankRecord } from '../../lib/domain/record.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { Announcer } from '../../lib/service/announcer.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { GuessWarnings } from '../../lib/service/guess-warnings.js'
import { LateWrites } from '../../lib/service/late-writes.js'
import { Overview } from '../../lib/service/overview.js'
import { Reminders } from '../../lib/service/reminders.js'
import { warnInFront } from '../../lib/web/login/found-user-warnings.js'
import type { Site } from '../../lib/web/request/site.js'
import type { FoundUser } from '../../lib/web/request/watching.js'
import { HOUR, movedSystem } from '../support/clock.js'
import { USER } from '../support/records.js'
import { warningsDuring } from '../support/warnings.js'
import { requestInfo } from './scripted-store.js'

const stopped = new Error('the clock has stopped')
const now = (): number => {
  throw stopped
}
const system = { ...movedSystem(), now }

const noUsers = {
  accounts: {
    searchable: true,
    list: async () => ({ accounts: [], next: null }),
    lookUpAll: async () => [],
  },
  records: {
    findMany: async () => [],
    list: async () => null,
    policy: async () => defaultPolicy,
  },
  ...{ audit: null, isOwn: () => true, roles: [], keyIds: [], window: 1 },
  apart: <T>(run: () => T) => run(),
}

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

  it('where users are counted in the background', async () => {
    const told = await reported(async (report) => {
      const overview = new Overview({ ...noUsers, now, failureReporter: { report } })
      overview.newest()
      await overview.stop()
    })
    expect(told).to.deep.equal([stopped])
  })

  it('or its chance fails, where a look for reminders is put off', async () => {
    const told = await reported(async (report) => {
      const random = () => {
        throw stopped
      }
      const announcer = new Announcer(movedSystem())
      const mails = { sentSoFar: async () => undefined }
      const records = { ...noUsers.records, find: async () => blankRecord(USER) }
      const parts = { ...noUsers, records, mails, announcer, counters: memoryCounters() }
      const more = { days: [1], now, system: { random }, failureReporter: { report } }
      const reminders = new Reminders({ ...parts, ...more })
      reminders.start()
      await reminders.stop()
    })
    expect(told).to.deep.equal([stopped])
  })

  it('where somebody signs in in front of the guard', async () => {
    const told = await reported(async (report) => {
      const site = { system, failureReporter: { report } } as unknown as Site
      warnInFront(site, { guarded: true, options: {} } as unknown as FoundUser)
    })
    expect(told).to.deep.equal([stopped])
  })

  it('although it dates what is told', async () => {
    const reporter = new FailureReporter(system)
    const said = await warningsDuring(() => reporter.report(stopped))
    expect(said).to.deep.equal(['passport-second-step: the clock has stopped'])
  })
})
