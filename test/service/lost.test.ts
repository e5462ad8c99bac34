import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { MailResetRefusal } from '../../lib/domain/event.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { type AuditLog, memoryAuditLog, memoryStore, type RecordStore } from '../../lib/index.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { DEFAULT_TIMEOUT } from '../../lib/ports/with-timeout.js'
import { Announcer } from '../../lib/service/announcer.js'
import { Audit } from '../../lib/service/audit.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { Lost } from '../../lib/service/lost.js'
import type { LostLink } from '../../lib/service/lost-links.js'
import { MailLimits } from '../../lib/service/mail-limits.js'
import { MailResetTokens } from '../../lib/service/mail-reset-tokens.js'
import type { MailResetUser } from '../../lib/service/mail-reset-user.js'
import type { MailedEvent, MailedLink } from '../../lib/service/mails.js'
import { MountedRules } from '../../lib/service/mounted-rules.js'
import { ReadyMailResets } from '../../lib/service/ready-mail-resets.js'
import { Records } from '../../lib/service/records.js'
import { accountOf } from '../support/accounts.js'
import { DAY, HOUR, MINUTE, type MovedSystem, movedSystem } from '../support/clock.js'
import { movedCounters } from '../support/moved-counters.js'
import { enrolledRecord, NOBODY_SPECIAL, policyWith, USER } from '../support/records.js'
import { warningsDuring } from '../support/warnings.js'

const ADDRESS = 'ada@acme.example'
const AT_HOME = { ip: '192.0.2.7', userAgent: 'Firefox', languages: ['en'] }
const keys = [randomBytes(32).toString('base64')] as const

interface Given {
  readonly system?: MovedSystem
  readonly store?: RecordStore
  /** Of the key ring, the current one first. */
  readonly keys?: readonly [string, ...string[]]
  readonly audit?: AuditLog
  readonly delay?: number
  /** Default: it takes every mail. */
  readonly mailer?: 'fails'
  readonly user?: Partial<MailResetUser> | null
  readonly findUser?: () => Promise<MailResetUser | null>
  readonly record?: Partial<SecondStepRecord>
  /** Given: the pause is the usual one. Else there is none. */
  readonly pause?: undefined
}

/** One process. */
async function world(given: Given = {}) {
  const { system = movedSystem(), store = memoryStore(), delay = 0 } = given
  if ((await store.find(USER)) === null) {
    await store.write({ ...enrolledRecord(), ...given.record, version: 1 }, 0)
  }
  const announcer = new Announcer(
    system,
    new Audit(given.audit ?? memoryAuditLog(), DEFAULT_TIMEOUT),
  )
  const refused: MailResetRefusal[] = []
  announcer.events.on('mail-reset-refused', ({ detail }) => refused.push(detail.why))
  const records = new Records(store, system, announcer, {
    production: false,
    timeout: DEFAULT_TIMEOUT,
  })
  const { digester } = keyRing(given.keys ?? keys, system)
  const tokens = new MailResetTokens({ digester, system })
  const mails: (MailedLink & { readonly event: MailedEvent })[] = []
  const user: MailResetUser = {
    account: accountOf({ id: USER, email: ADDRESS }),
    allowed: async () => true,
    heldUntil: async () => 0,
    ...given.user,
  }
  const parts = {
    ...{ records, tokens, announcer, system, delay },
    ...('pause' in given ? {} : { pause: () => 0 }),
    limits: new MailLimits(movedCounters(system)),
    mails: {
      sendLink: async (event: MailedEvent, _: unknown, link: MailedLink) => {
        mails.push({ event, ...link })
        return given.mailer !== 'fails'
      },
    },
    findUser: given.findUser ?? (async () => (given.user === null ? null : user)),
    failureReporter: new FailureReporter(system),
    mountedRules: new MountedRules(),
  }
  const lost = new Lost(parts)
  let logins = 0
  const pendingOf = (id: string, at = system.now()) => ({
    ...{ id, userId: USER, epoch: 1, at, next: null, locale: null, keepSessionInfo: false },
    ...{
      passport: { instance: 0, user: USER },
      subject: NOBODY_SPECIAL,
      stampId: null,
      stampVersion: null,
    },
  })
  const rest = {
    ...{ policy: policyWith('optional'), subject: NOBODY_SPECIAL, requestInfo: AT_HOME },
  }
  const begin = (address = ADDRESS, pendingId = `login-${++logins}`) => {
    lost.ask({ pending: pendingOf(pendingId), ...rest, address })
  }
  /** Presses in a login whose first step was so long after this moment. */
  const press = (link: LostLink, after: number) =>
    lost.links.press(link, { pending: pendingOf('presses', system.now() + after), ...rest })
  const ask = async (address?: string, pendingId?: string) => {
    begin(address, pendingId)
    await lost.settled()
  }
  const record = async () => {
    const found = await store.find(USER)
    if (found === null) throw new Error('there is no record')
    return found
  }
  return {
    ...parts,
    lost,
    ask,
    begin,
    press,
    sent: mails,
    refused,
    store,
    system,
    record,
    ready: new ReadyMailResets({ ...parts, hostIdOf: (id) => id }),
  }
}

// The mistake: a store's list leads from a page to the next and back, and a look at it has no end.
it('a list of resets that goes in a circle is told, and the look ends', async () => {
  const { ready, records } = await world()
  let pages = 0
  const circle = async () => {
    pages += 1
    if (pages > 10) throw new Error('it has no end')
    return { ids: [], lostLists: [], next: pages % 2 === 0 ? 'even' : 'odd' }
  }
  Object.assign(records, { idsOf: circle })
  const [said = ''] = await warningsDuring(() => ready.sweep())
  expect(said).to.include('goes in a circle')
})

describe('the limits of mails that reset', () => {
  it('are one in two minutes, three in an hour and five in a day, for each user', async () => {
    // Somebody who knows the password fills the owner's mailbox.
    const { ask, sent, system, refused } = await world()
    const sentAfter = async (milliseconds: number) => {
      system.advance(milliseconds)
      const before = sent.length
      await ask()
      return sent.length - before
    }
    expect(await sentAfter(0)).to.equal(1)
    expect(await sentAfter(2 * MINUTE - 1)).to.equal(0)
    expect(await sentAfter(1)).to.equal(1)
    expect(await sentAfter(2 * MINUTE)).to.equal(1)
    for (let minute = 0; minute < 10; minute += 1) expect(await sentAfter(2 * MINUTE)).to.equal(0)
    expect(await sentAfter(HOUR)).to.equal(1)
    expect(await sentAfter(2 * MINUTE)).to.equal(1)
    for (let hour = 0; hour < 5; hour += 1) expect(await sentAfter(HOUR)).to.equal(0)
    expect(refused.every((why) => why === 'too-many-mails')).to.equal(true)
    expect(await sentAfter(DAY)).to.equal(1)
  })

  it('are not used up by what sends no mail, and leave the live link alone', async () => {
    const { ask, sent, lost, system, refused } = await world()
    for (let wrong = 0; wrong < 30; wrong += 1) await ask('eve@evil.example')
    await ask()
    expect(sent).to.have.length(1)
    for (let refusal = 0; refusal < 10; refusal += 1) await ask()
    expect(await lost.links.find(sent[0]?.token ?? '')).not.to.equal(null)
    system.advance(2 * MINUTE)
    await ask()
    system.advance(2 * MINUTE)
    await ask()
    expect(sent).to.have.length(3)
    expect(refused.filter((why) => why === 'address')).to.have.length(10)
  })

  it('take no place of one another where one of them refuses', async () => {
    const { ask, sent, system } = await world()
    await ask()
    for (let mail = 0; mail < 2; mail += 1) {
      system.advance(2 * MINUTE)
      await ask()
    }
    expect(sent).to.have.length(3)
    system.advance(56 * MINUTE - 1)
    await ask()
    expect(sent, 'a moment too early').to.have.length(3)
    system.advance(1)
    await ask()
    expect(sent, 'the moment before took nothing').to.have.length(4)
  })

  it('let one mail out of many asks at once', async () => {
    const { begin, sent, lost, record } = await world()
    for (let tab = 0; tab < 50; tab += 1) begin()
    await lost.settled()
    expect(sent).to.have.length(1)
    expect((await record()).mailReset?.digests).to.have.length(1)
    expect(await lost.links.find(sent[0]?.token ?? '')).not.to.equal(null)
  })

  it('end what one login may set going', async () => {
    let looked = 0
    const findUser = async () => {
      looked += 1
      return null
    }
    const { ask, sent } = await world({ findUser })
    for (let asks = 0; asks < 100; asks += 1) await ask('eve@evil.example', 'one')
    expect(looked, 'twenty look the user up').to.equal(20)
    await ask(ADDRESS, 'one')
    expect(sent).to.deep.equal([])
  })
})

// A right address costs more work than a wrong one: begun at once it would show in the next answer.
describe('the work after a request for a reset', () => {
  it('begins a good while after the answer', async () => {
    let looked = 0
    const findUser = async () => {
      looked = performance.now()
      return null
    }
    const { ask } = await world({ findUser, pause: undefined })
    const asked = performance.now()
    await ask()
    expect(looked - asked).to.be.within(95, 2000)
  })
})

describe('a mail that is not taken', () => {
  it('leaves no reset waiting of which nobody was warned, and the next ask begins one', async () => {
    // Somebody who reads the mailbox waits for a mail server that fails: the wait warns nobody.
    const { ask, sent, record, system } = await world({ delay: DAY, mailer: 'fails' })
    await ask()
    expect(sent).to.have.length(1)
    expect((await record()).mailReset).to.equal(null)
    system.advance(2 * MINUTE)
    await ask()
    expect(sent).to.have.length(2)
  })

  it('leaves the link of one without a wait: the mail may come all the same', async () => {
    const { ask, sent, lost } = await world({ mailer: 'fails' })
    await ask()
    expect(await lost.links.find(sent[0]?.token ?? '')).not.to.equal(null)
  })
})

describe('a mail that resets', () => {
  it('ends the link of the one before', async () => {
    const { ask, sent, lost, system } = await world()
    await ask()
    system.advance(2 * MINUTE)
    await ask()
    expect(await lost.links.find(sent[0]?.token ?? '')).to.equal(null)
    expect(await lost.links.find(sent[1]?.token ?? '')).not.to.equal(null)
  })

  it('has a token of 256 random bits that is nowhere else', async () => {
    const audit = memoryAuditLog()
    const { ask, sent, record, announcer } = await world({ audit })
    const told: unknown[] = []
    announcer.events.on('event', (event) => told.push(event))
    await ask()
    const [user = '', secret = '', mac = ''] = (sent[0]?.token ?? '').split('.')
    expect(Buffer.from(user, 'base64url').toString()).to.equal(USER)
    expect(Buffer.from(secret, 'base64url')).to.have.length(32)
    const log = await audit.list({ user: null, cursor: null, limit: 100 })
    const everything = JSON.stringify([await record(), told, log, sent[0]?.event])
    expect(everything).to.contain('mail-reset-asked').and.not.contain(secret)
    expect(everything).not.to.contain(mac)
    expect(everything).not.to.contain(Buffer.from(secret, 'base64url').toString('hex'))
    expect(JSON.stringify(await record())).not.to.contain(ADDRESS)
  })

  it('does nothing for an unknown user, or for one without an address', async () => {
    const gone = await world({ user: null })
    await gone.ask()
    const none = await world({ user: { account: accountOf({ id: USER }) } })
    await none.ask()
    const list = await world({
      user: { account: accountOf({ id: USER, email: `${ADDRESS},eve@evil.example` }) },
    })
    await list.ask()
    for (const { sent, record } of [gone, none, list]) {
      expect(sent).to.deep.equal([])
      expect((await record()).mailReset).to.equal(null)
    }
    expect([none.refused, list.refused]).to.deep.equal([['address'], ['address']])
  })

  it('is not sent for a login that is over by then', async () => {
    const { begin, sent, lost, store, record, ask, system } = await world()
    const before = await record()
    await store.write({ ...before, epoch: 2, version: 2, writeId: 'raised' }, 1)
    begin()
    await lost.settled()
    expect(sent).to.deep.equal([])
    const after = await record()
    await store.write({ ...after, epoch: 1, version: 3, writeId: 'back' }, 2)
    system.advance(1)
    await ask()
    expect(sent, 'the places were given back').to.have.length(1)
  })
})

/** A store that counts its calls. */
function countingStore(): { readonly store: RecordStore; readonly calls: () => number } {
  let calls = 0
  const store = new Proxy(memoryStore(), {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: readonly unknown[]) => {
        calls += 1
        return Reflect.apply(member, target, given)
      }
    },
  })
  return { store, calls: () => calls }
}

describe('the token of a link', () => {
  it('causes no look-up if it is forged', async () => {
    // A stranger makes up tokens for a user's id. The time of a look-up would tell them whether the
    // account has a second step, and would tell whoever asked for a mail whether the address was right.
    const { store, calls } = countingStore()
    let looked = 0
    const user: MailResetUser = {
      account: accountOf({ id: USER, email: ADDRESS }),
      allowed: async () => true,
      heldUntil: async () => 0,
    }
    const findUser = async () => {
      looked += 1
      return user
    }
    const { ask, sent, lost } = await world({ store, findUser })
    await ask()
    const [owner = '', secret = '', mac = ''] = (sent[0]?.token ?? '').split('.')
    const before = [calls(), looked]
    const random = () => randomBytes(32).toString('base64url')
    const others = Buffer.from('another').toString('base64url')
    for (const forged of [
      ...[
        [owner, random(), random()],
        [owner, random(), mac],
        [owner, secret, random()],
      ],
      ...[
        [others, secret, mac],
        [owner, secret],
        [owner, secret, ''],
        [owner, mac, secret],
      ],
      ...[
        [owner, secret, mac, mac],
        [owner, secret, mac.slice(0, -4)],
        [owner, secret, secret],
      ],
    ]) {
      expect(await lost.links.find(forged.join('.')), forged.join('.')).to.equal(null)
    }
    expect([calls(), looked]).to.deep.equal(before)
    expect(await lost.links.find(`${owner}.${secret}.${mac}`)).not.to.equal(null)
    expect(calls()).to.be.greaterThan(before[0] ?? 0)
  })

  it('is good under every key of the ring, and under no other', async () => {
    const [system, store, newer] = [
      movedSystem(),
      memoryStore(),
      randomBytes(32).toString('base64'),
    ]
    const { ask, sent } = await world({ system, store })
    await ask()
    const token = sent[0]?.token ?? ''
    const turned = await world({ system, store, keys: [newer, keys[0]] })
    expect(await turned.lost.links.find(token)).not.to.equal(null)
    const other = await world({ system, store, keys: [newer] })
    expect(await other.lost.links.find(token)).to.equal(null)
  })
})

// The body of a request comes when the client sends it: the login may have ended since the guard.
describe('a button that was pressed late', () => {
  it('does nothing for a login that has ended meanwhile, and the link stays good', async () => {
    const { ask, sent, lost, record, store, press } = await world()
    await ask()
    const link = await lost.links.find(sent[0]?.token ?? '')
    if (link === null) throw new Error('the link is dead')
    const before = await record()
    const late = { ...before, passwordChangedAt: before.mailReset?.askedAt ?? 0 }
    await store.write({ ...late, version: 3, writeId: 'password' }, 2)
    expect(await press(link, -1)).to.deep.equal({ kind: 'not-signed-in' })
    expect((await record()).mailReset).to.deep.equal(before.mailReset)
    expect(await press(link, 0)).to.include({ kind: 'reset', epoch: 2 })
    expect(await press(link, 0)).to.deep.equal({ kind: 'link-expired' })
  })
})

describe('a part that fails while a mail is asked for', () => {
  it('is told to the operator, and sends nothing', async () => {
    const away = async () => {
      throw new Error('the users are away')
    }
    for (const given of [
      { findUser: away },
      { user: { allowed: away } },
      { user: { heldUntil: away } },
    ] as readonly Given[]) {
      const warnings = await warningsDuring(async () => {
        const { ask, sent, record } = await world(given)
        await ask()
        expect(sent).to.deep.equal([])
        expect((await record()).mailReset).to.equal(null)
      })
      expect(warnings.join()).to.contain('the users are away')
    }
  })

  it('leaves no reset that waits unannounced where the audit log is away', async () => {
    let away = true
    const log = memoryAuditLog()
    const audit: AuditLog = {
      list: (query) => log.list(query),
      append: async (entries) => {
        if (away) throw new Error('the log is away')
        await log.append(entries)
      },
    }
    const { ask, sent, record } = await world({ audit, delay: DAY })
    await warningsDuring(() => ask())
    expect(sent).to.deep.equal([])
    expect((await record()).mailReset).to.equal(null)
    away = false
    await ask()
    expect(sent, 'the places were given back').to.have.length(1)
  })
})

describe('a hold without an end', () => {
  it('holds for a year, and then again, and spoils no date', async () => {
    // The last moment that a date can say: a day after it there is none, and every mail would fail.
    const heldUntil = async () => 8.64e15
    const year = 365 * DAY
    const { ask, sent, record, system, lost, press, ready } = await world({ user: { heldUntil } })
    const begun = system.now()
    await ask()
    expect(sent).to.have.length(1)
    const times = { usableAt: begun + year, expiresAt: begun + year + DAY }
    expect((await record()).mailReset).to.include(times)
    const link = await lost.links.find(sent[0]?.token ?? '')
    if (link === null) throw new Error('the link is dead')
    expect(link.heldUntil).to.equal(begun + year)
    system.advance(year)
    await ready.sweep()
    expect(sent).to.have.length(1)
    const moved = { usableAt: begun + 2 * year, expiresAt: begun + 2 * year + DAY }
    expect((await record()).mailReset).to.include(moved)
    const again = await lost.links.find(sent[0]?.token ?? '')
    if (again === null) throw new Error('the link is dead')
    expect(await press(again, 0)).to.deep.equal({ kind: 'not-yet', availableAt: begun + 2 * year })
  })
})

describe('a hold that the host lifts', () => {
  it('lets the reset wait no longer than its delay, when it is asked for again', async () => {
    // Held by mistake, or for good: whoever has lost the phone would be out for a year.
    let held = 0
    const heldUntil = async () => held
    const { ask, sent, record, system, ready } = await world({ delay: DAY, user: { heldUntil } })
    const begun = system.now()
    const usableAt = async () => (await record()).mailReset?.usableAt
    held = begun + 30 * DAY
    await ask()
    const before = (await record()).mailReset
    system.advance(HOUR)
    await ask()
    expect((await record()).mailReset).to.deep.equal(before)
    held = begun + 60 * DAY
    await ask()
    expect(await usableAt(), 'never longer').to.equal(begun + 30 * DAY)
    held = begun + 2 * DAY
    await ask('eve@evil.example')
    expect(await usableAt(), 'by the right address only').to.equal(begun + 30 * DAY)
    await ask()
    expect(await usableAt()).to.equal(begun + 2 * DAY)
    held = 0
    await ask()
    const shorter = { usableAt: begun + DAY, expiresAt: begun + 2 * DAY, readyTold: false }
    expect((await record()).mailReset).to.deep.equal({ ...before, ...shorter })
    expect(sent).to.have.length(1)
    system.advance(DAY)
    await ready.sweep()
    expect(sent.map(({ event }) => event.type)).to.include('mail-reset-ready')
  })

  it('is over at once where its delay is', async () => {
    let held = 0
    const heldUntil = async () => held
    const { ask, sent, record, system, ready } = await world({ user: { heldUntil } })
    held = system.now() + 30 * DAY
    await ask()
    held = 0
    system.advance(HOUR)
    await ask()
    const times = { usableAt: system.now(), expiresAt: system.now() + DAY, readyTold: false }
    expect((await record()).mailReset).to.include(times)
    await ready.sweep()
    expect(sent).to.have.length(2)
  })
})

describe('the look for waits that are over', () => {
  it('mails each owner once, although many processes poll', async () => {
    const [system, store] = [movedSystem(), memoryStore()]
    const processes = []
    for (let index = 0; index < 5; index += 1) {
      processes.push(await world({ system, store, delay: DAY }))
    }
    const [first] = processes
    await first?.ask()
    system.advance(DAY - 1)
    for (const { ready } of processes) await ready.sweep()
    expect(processes.flatMap(({ sent }) => sent)).to.have.length(1)
    system.advance(1)
    await Promise.all(processes.map(({ ready }) => ready.sweep()))
    await Promise.all(processes.map(({ ready }) => ready.sweep()))
    const ready = processes
      .flatMap(({ sent }) => sent)
      .filter(({ event }) => event.type === 'mail-reset-ready')
    expect(ready).to.have.length(1)
    expect(ready[0]?.event).to.deep.include({ ip: AT_HOME.ip, userAgent: AT_HOME.userAgent })
    expect(await first?.lost.links.find(ready[0]?.token ?? '')).not.to.equal(null)
  })

  it('continues after a user who cannot be looked up, and mails them later', async () => {
    let away = false
    const user: MailResetUser = {
      account: accountOf({ id: USER, email: ADDRESS }),
      allowed: async () => true,
      heldUntil: async () => 0,
    }
    const findUser = async () => {
      if (away) throw new Error('away')
      return user
    }
    const { ask, sent, system, ready } = await world({ delay: DAY, findUser })
    await ask()
    system.advance(DAY)
    away = true
    await warningsDuring(() => ready.sweep())
    expect(sent).to.have.length(1)
    away = false
    await ready.sweep()
    expect(sent).to.have.length(2)
  })

  it('tells the others where one record cannot be read', async () => {
    // One broken document among those that are due: nobody at all would be told, for as long as it is.
    const [system, memory] = [movedSystem(), memoryStore()]
    const broken = 'broken'
    const store: RecordStore = {
      ...memory,
      find: async (userId) => {
        const found = await memory.find(userId)
        return userId === broken ? ({ userId, epoch: 'x' } as unknown as SecondStepRecord) : found
      },
      list: async (query) => {
        const page = await memory.list(query)
        const record = { userId: broken, epoch: 'x' } as unknown as SecondStepRecord
        return page === null ? null : { ...page, records: [record, ...page.records] }
      },
    }
    const { ask, sent, ready } = await world({ system, store, delay: DAY })
    await ask()
    system.advance(DAY)
    const warnings = await warningsDuring(() => ready.sweep())
    expect(sent.map(({ event }) => event.type)).to.deep.equal([
      'mail-reset-asked',
      'mail-reset-ready',
    ])
    expect(warnings.join()).to.contain('record store')
  })

  // The mistake: one of 64 lists is lost, and no user of the others gets a mail.
  it('tells everybody else where a list is lost, and the operator of the list', async () => {
    const [system, memory] = [movedSystem(), memoryStore()]
    const store: RecordStore = {
      ...memory,
      list: async (query) => {
        const page = await memory.list(query)
        return page === null ? null : { ...page, lostLists: ['second-step:{7}:list:all'] }
      },
    }
    const { ask, sent, ready } = await world({ system, store, delay: DAY })
    await ask()
    system.advance(DAY)
    const warnings = await warningsDuring(() => ready.sweep())
    expect(sent.map(({ event }) => event.type)).to.deep.equal([
      'mail-reset-asked',
      'mail-reset-ready',
    ])
    expect(warnings.join()).to.contain('second-step:{7}:list:all')
  })

  it('refuses a user id that is not a string', async () => {
    const memory = memoryStore()
    for (const records of [[{}], [{ userId: 1 }], [{ userId: '' }], [null]]) {
      const page = { records: records as unknown as readonly SecondStepRecord[], next: null }
      let looked = 0
      const findUser = async () => {
        looked += 1
        return null
      }
      const { ready } = await world({ store: { ...memory, list: async () => page }, findUser })
      const warnings = await warningsDuring(() => ready.sweep())
      expect(warnings.join()).to.contain('user id')
      expect(looked).to.equal(0)
    }
  })

  it('stops after the user of the running mail when the process ends', async () => {
    // A user store that has got slow: close() would wait for a whole page, and the next.
    const system = movedSystem()
    const memory = memoryStore()
    const ids = Array.from({ length: 20 }, (_, index) => ({
      ...enrolledRecord(),
      userId: `${index}`,
    }))
    const looked: string[] = []
    let stopping: Promise<void> = Promise.resolve()
    const store = { ...memory, list: async () => ({ records: ids, next: null }) }
    const { ready } = await world({
      system,
      store,
      findUser: async () => {
        looked.push('one')
        stopping = ready.stop()
        return null
      },
    })
    await ready.sweep()
    await stopping
    expect(looked).to.have.length(1)
  })

  it('never rejects, and stops when it is told to', async () => {
    const store: RecordStore = { ...memoryStore(), list: async () => null }
    const { ready } = await world({ store })
    const warnings = await warningsDuring(() => ready.sweep())
    expect(warnings.join()).to.contain('record store')
    ready.start()
    await ready.stop()
  })
})

describe('a reset by mail whose key has left the ring', () => {
  // The operator's mistake: a key is taken out too early. Whether the address has changed can't be told any more, and
  // the owner was told of a change: "cancelled".
  async function keyGone() {
    const before = await world({ delay: DAY })
    await before.ask()
    const { store, system } = before
    const after = await world({
      ...{ store, system, delay: DAY },
      keys: [randomBytes(32).toString('base64')],
    })
    const cancelled: unknown[] = []
    after.announcer.events.on('mail-reset-cancelled', (event) => cancelled.push(event))
    return { before, after, cancelled, system }
  }

  it('gives way to a new one, and is not announced as cancelled', async () => {
    const { before, after, cancelled, system } = await keyGone()
    const [first] = before.sent
    const said = await warningsDuring(() => after.ask())
    expect(cancelled).to.deep.equal([])
    expect(after.sent.map(({ event }) => event.type)).to.deep.equal(['mail-reset-asked'])
    expect(said.join()).to.contain('`keys`').and.contain('check')
    // Its link works no more, also where its key is still there.
    system.advance(DAY)
    expect(await before.lost.links.find(first?.token ?? '')).to.equal(null)
  })

  it('is not ended as moved where its owner is signed in', async () => {
    const { after, cancelled } = await keyGone()
    expect(await after.lost.endIfMoved(await after.record(), ADDRESS)).to.equal(false)
    expect(cancelled).to.deep.equal([])
  })

  it('has no mail that makes a link of it, and the operator is told', async () => {
    const { after, system } = await keyGone()
    system.advance(DAY)
    const said = await warningsDuring(() => after.ready.sweep())
    expect(after.sent).to.deep.equal([])
    expect((await after.record()).mailReset).to.equal(null)
    expect(said.join()).to.contain('`keys`')
  })

  it('has no link either that was mailed under the new key', async () => {
    const [old, current] = [0, 1].map(() => randomBytes(32).toString('base64')) as [string, string]
    const before = await world({ delay: DAY, keys: [old] })
    await before.ask()
    const { store, system } = before
    system.advance(DAY)
    const between = await world({ store, system, delay: DAY, keys: [current, old] })
    await between.ready.sweep()
    const [ready] = between.sent
    const after = await world({ store, system, delay: DAY, keys: [current] })
    const cancelled: unknown[] = []
    after.announcer.events.on('mail-reset-cancelled', (event) => cancelled.push(event))
    const said = await warningsDuring(async () => {
      expect(await after.lost.links.find(ready?.token ?? '')).to.equal(null)
    })
    expect(cancelled).to.deep.equal([])
    expect(said.join()).to.contain('`keys`')
  })
})
