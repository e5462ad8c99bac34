import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord } from '../../lib/domain/record.js'
import { memoryStore } from '../../lib/index.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { Account } from '../../lib/service/accounts.js'
import { type AnnouncedEvent, Announcer } from '../../lib/service/announcer.js'
import { lookForReminders } from '../../lib/service/reminder-look.js'
import { Reminders } from '../../lib/service/reminders.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { wire } from '../../lib/wiring.js'
import { movedSystem } from '../support/clock.js'
import { DAY, enrolledRecord, HOUR, NOBODY_SPECIAL, NOW, SECOND } from '../support/records.js'

const SINCE = NOW - HOUR
const required: Policy = {
  ...defaultPolicy,
  mode: 'required',
  graceDays: 7,
  requiredSince: { general: SINCE, roles: {} },
}

const account = (id: string, email: string | null = `${id}@acme.example`): Account => ({
  ...{ user: { id }, id, email, name: null, username: null, locale: null },
  ...{ subject: NOBODY_SPECIAL, tellsRoles: true },
})

const recordOf = (id: string) => (id === 'eve' ? enrolledRecord({ userId: id }) : blankRecord(id))

/** Three processes on the same counters. Ann and Bob have none, Eve has one, and Mo has no address. */
function world(given: { policy?: Policy } = {}) {
  const system = movedSystem(NOW)
  const counters = memoryCounters()
  const people = [account('ann'), account('bob'), account('eve'), account('mo', null)]
  const told: AnnouncedEvent[] = []
  const failures: unknown[] = []
  let listed = 0
  const parts = () => {
    const announcer = new Announcer(system)
    announcer.events.on('event', (event) => told.push(event))
    return {
      accounts: {
        searchable: true,
        list: async () => {
          listed += 1
          return { accounts: people, next: null }
        },
        lookUpAll: async () => [],
      },
      records: {
        policy: async () => given.policy ?? required,
        find: async (id: string) => recordOf(id),
        findMany: async (ids: readonly string[]) => ids.map(recordOf),
        list: async () => null,
      },
      ...{ counters, announcer, days: [7, 3, 1], system },
      mails: { sentSoFar: async () => undefined },
      now: () => system.now(),
      failureReporter: { report: (error: unknown) => void failures.push(error) },
    }
  }
  return { system, parts, told, failures, listed: () => listed }
}

const reminded = (told: readonly AnnouncedEvent[]) =>
  told.map(({ type, user, actor }) => [type, user, actor.kind])

describe('The reminders', () => {
  // The mistake: three processes look at the same time, and each user gets three mails.
  it('are sent once each, however many processes look', async () => {
    const { parts, told } = world()
    await Promise.all([parts(), parts(), parts()].map((each) => lookForReminders(each)))
    expect(reminded(told)).to.have.deep.members([
      ['reminded', 'ann', 'system'],
      ['reminded', 'bob', 'system'],
    ])
    expect(told[0]?.detail).to.deep.equal({ until: new Date(SINCE + 7 * DAY) })
  })

  it('are sent again for the next of the days', async () => {
    const { parts, told, system } = world()
    for (const days of [0, 1, 3, 2, 0.5, 10]) {
      system.advance(days * DAY)
      await lookForReminders(parts())
    }
    expect(told.filter(({ user }) => user === 'ann')).to.have.length(3)
  })

  it('are none while nothing is required, and nobody is looked at', async () => {
    const { parts, told, listed } = world({ policy: defaultPolicy })
    expect(await lookForReminders(parts())).to.deep.equal({ reminded: 0, unreadable: 0 })
    expect([told.length, listed()]).to.deep.equal([0, 0])
  })

  // The mistake: a user is told to set up who did so while the mails before were sent.
  it('are none of who has set up, or is free, since the page was read', async () => {
    const { parts, told } = world()
    const one = parts()
    const find = async (id: string) =>
      id === 'ann' ? enrolledRecord({ userId: id }) : recordOf(id)
    await lookForReminders({ ...one, records: { ...one.records, find } })
    expect(reminded(told)).to.deep.equal([['reminded', 'bob', 'system']])
    const policies = [required, defaultPolicy, defaultPolicy]
    const policy = async () => policies.shift() ?? defaultPolicy
    const { parts: others, told: more } = world()
    const other = others()
    await lookForReminders({ ...other, records: { ...other.records, policy } })
    expect(more).to.deep.equal([])
  })

  // The mistake: a process ends between the place and the mail, and the next one mails again, and again.
  it('are not sent again by who comes after a crash', async () => {
    const { parts, told } = world()
    const crash = async () => {
      throw new Error('the end')
    }
    const ended = parts()
    const failed = await lookForReminders({ ...ended, announcer: { announce: crash } }).catch(
      () => 1,
    )
    expect(failed).to.equal(1)
    for (const _ of [1, 2]) await lookForReminders(parts())
    expect(reminded(told)).to.deep.equal([['reminded', 'bob', 'system']])
  })

  it('are not sent again by a clock that tells the same end differently', async () => {
    const { parts, told } = world()
    await lookForReminders(parts())
    const one = parts()
    const requiredSince = { general: SINCE + 30 * SECOND, roles: {} }
    const policy = async () => ({ ...required, requiredSince })
    await lookForReminders({ ...one, records: { ...one.records, policy } })
    expect(told).to.have.length(2)
  })

  // The mistake: ten thousand mails at once, which the mail server refuses, and nobody gets one.
  it('are sent one after another', async () => {
    const { parts, told } = world()
    let begun = () => undefined as unknown
    let sent = () => undefined as unknown
    const waiting = new Promise((resolve) => {
      begun = () => resolve(null)
    })
    const mailed = new Promise<void>((resolve) => {
      sent = () => resolve()
    })
    const sentSoFar = () => {
      begun()
      return mailed
    }
    const looking = lookForReminders({ ...parts(), mails: { sentSoFar } })
    await waiting
    expect(told).to.have.length(1)
    sent()
    await looking
    expect(told).to.have.length(2)
  })

  it('end between two users, and between two pages', async () => {
    const { parts, told } = world()
    await lookForReminders(parts(), false, () => told.length > 0)
    expect(told).to.have.length(1)
    const one = parts()
    let pages = 0
    const list = async () => {
      pages += 1
      return { accounts: [], next: String(pages) }
    }
    const endless = { ...one, accounts: { ...one.accounts, list } }
    await lookForReminders(endless, false, () => pages === 3)
    expect(pages).to.equal(3)
  })

  it('end where the list of users goes in a circle', async () => {
    const { parts, told } = world()
    const one = parts()
    const next: Readonly<Record<string, string>> = { start: 'a', a: 'b', b: 'a' }
    const list = async ({ cursor }: { cursor: string | null }) => ({
      accounts: [account('ann')],
      next: next[cursor ?? 'start'] ?? null,
    })
    const circle = { ...one, accounts: { ...one.accounts, list } }
    const failed = await lookForReminders(circle).catch(() => 1)
    expect([failed, told.length]).to.deep.equal([1, 1])
  })

  it('are only counted by a dry run', async () => {
    const { parts, told } = world()
    const dry = () => lookForReminders(parts(), true)
    expect(await dry()).to.include({ reminded: 2 })
    expect(told).to.deep.equal([])
    await lookForReminders(parts())
    expect(await dry()).to.include({ reminded: 0 })
  })

  it('are looked for by one process an hour', async () => {
    const { parts, listed, failures } = world()
    const processes = [new Reminders(parts()), new Reminders(parts())]
    for (const each of processes) await each.look()
    expect(listed()).to.equal(1)
    expect(failures).to.deep.equal([])
  })

  it('end with the app', async () => {
    const { parts, told } = world()
    const reminders = new Reminders(parts())
    reminders.start()
    await reminders.stop()
    await reminders.look()
    expect(told).to.deep.equal([])
  })

  it('report what fails, and reject nothing', async () => {
    const { parts, failures } = world()
    const broken = parts()
    const records = {
      ...broken.records,
      policy: async () => {
        throw new Error('away')
      },
    }
    await new Reminders({ ...broken, records }).look()
    expect(failures).to.have.length(1)
  })

  it('keep no process alive', async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const reminders = new Reminders(world().parts())
    const before = timers()
    reminders.start()
    const after = timers()
    await reminders.stop()
    expect(after).to.equal(before)
  })
})

describe('The app’s reminders', () => {
  const people = [{ id: 'ann', email: 'ann@acme.example' }]
  const mailing = (sendMail: () => Promise<unknown>) => ({
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [randomBytes(32).toString('base64')],
    store: memoryStore(),
    audit: memoryAuditLog(),
    users: { findById: async () => people[0], list: async () => ({ users: people, next: null }) },
    mail: { transport: { sendMail }, from: 'no-reply@acme.example' },
  })

  it('are there only with mail, where the host wants them, and where a command can remember them', () => {
    const options = mailing(async () => undefined)
    const { mail: _, ...withoutMail } = options
    expect(wire(options).reminders).not.to.equal(null)
    expect(wire(withoutMail).reminders).to.equal(null)
    expect(wire({ ...options, reminders: false }).reminders).to.equal(null)
    expect(wire(options, 'operator').reminders).to.equal(null)
    const counters = memoryCounters()
    expect(wire({ ...options, counters }, 'operator').reminders).not.to.equal(null)
  })

  it('survive a mail server that is away, which is an event', async () => {
    const options = mailing(async () => {
      throw new Error('away')
    })
    const { reminders, announcer, store } = wire({ ...options, system: movedSystem(NOW) })
    await store.writePolicy({ ...required, version: 1, writeId: 'w' }, 0)
    const types: string[] = []
    announcer.events.on('event', ({ type }) => types.push(type))
    await reminders?.look()
    expect(types).to.deep.equal(['reminded', 'mail-failed'])
  })
})
