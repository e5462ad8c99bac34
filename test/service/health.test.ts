import { expect } from 'chai'
import {
  memoryAuditLog,
  memoryStore,
  type RecordStore,
  type SecondStepOptions,
} from '../../lib/index.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { MINUTE } from '../support/clock.js'
import { type HostUser, makeHost } from '../support/host.js'
import { warningsDuring } from '../support/warnings.js'

type Options = Partial<SecondStepOptions<HostUser>>

const NOT_USED = { mail: 'not-asked', marker: 'not-asked', migration: 'not-asked' }
const WELL = { store: 'ok', counters: 'ok', audit: 'ok', ...NOT_USED }
const hang = () => new Promise<never>(() => undefined)
const fail = async () => {
  throw new Error('redis://app:hunter2@10.1.2.3:6379 refused')
}

function mailed(transport: object): Options {
  const sendMail = async () => {
    throw new Error('a mail was sent')
  }
  const users = { findById: async () => null }
  return { users, mail: { transport: { sendMail, ...transport }, from: 'no-reply@acme.example' } }
}

/** A store whose reads are answered like this. */
function reading(read: () => Promise<never>): RecordStore {
  const { read: _, ...store } = memoryStore()
  return { ...store, find: read }
}

function counting(taken: () => Promise<never>): Options {
  const counters = memoryCounters()
  const counter = (name: string, seconds: number) => ({ ...counters.counter(name, seconds), taken })
  return { counters: { counter } }
}

/** Each part, with what makes it fail in the given way. */
const PARTS: Readonly<Record<string, (how: () => Promise<never>) => Options>> = {
  store: (how) => ({ store: reading(how) }),
  counters: counting,
  audit: (how) => ({ audit: { ...memoryAuditLog(), list: how } }),
  marker: (how) => ({ store: { ...memoryStore(), checks: { marker: how } } }),
  migration: (how) => ({ store: { ...memoryStore(), checks: { migration: how } } }),
}

const healthWith = (options: Options = {}) => makeHost({ options }).secondStep.health()

describe('health()', () => {
  it('says of each part that it answers, or that the app has none', async () => {
    expect(await healthWith()).to.deep.equal({ ok: true, parts: WELL })
    const checks = { marker: async () => undefined, migration: async () => undefined }
    const all = { ...mailed({ verify: async () => true }), store: { ...memoryStore(), checks } }
    const parts = { ...WELL, mail: 'ok', marker: 'ok', migration: 'ok' }
    expect(await healthWith(all)).to.deep.equal({ ok: true, parts })
  })

  for (const [part, made] of Object.entries(PARTS)) {
    it(`says that it is not well without: ${part}`, async () => {
      const warnings = await warningsDuring(async () => {
        for (const how of [fail, hang]) {
          const { ok, parts } = await healthWith({ ...made(how), timeout: 50 })
          expect(ok).to.equal(false)
          expect(parts).to.deep.equal({ ...WELL, [part]: 'away' })
        }
      })
      expect(warnings.join()).to.contain(`health check of the ${part}`).and.contain('refused')
    })
  }

  // All processes of an app would be taken out of service because a mail server is away.
  it('is well without mails, and says that they are away', async () => {
    await warningsDuring(async () => {
      const health = await healthWith({ ...mailed({ verify: fail }), timeout: 50 })
      expect(health).to.deep.equal({ ok: true, parts: { ...WELL, mail: 'away' } })
    })
  })

  // A stranger reads an open readiness route to learn where the app's Redis is, and how to get in.
  it('tells fixed words alone', async () => {
    await warningsDuring(async () => {
      const health = await healthWith({ ...PARTS.store?.(fail), ...mailed({ verify: fail }) })
      const words = /^\{"ok":false,"parts":\{("[a-z]+":"(ok|away|not-asked)",?)+\}\}$/
      expect(JSON.stringify(health)).to.match(words)
    })
  })

  // A stranger asks an open readiness route as fast as they can.
  it('asks the parts once for all who ask meanwhile', async () => {
    let asked = 0
    const marker = async () => {
      asked += 1
    }
    const store = { ...memoryStore(), checks: { marker } }
    const { secondStep } = makeHost({ options: { store } })
    await Promise.all(Array.from({ length: 50 }, () => secondStep.health()))
    expect(asked).to.equal(1)
    await secondStep.health()
    expect(asked).to.equal(2)
  })

  it('asks the mail server once a minute, and a transport that has no such test not at all', async () => {
    let asked = 0
    const verify = async () => {
      asked += 1
      return true
    }
    const { secondStep, system } = makeHost({ options: mailed({ verify }) })
    await secondStep.health()
    await secondStep.health()
    expect(asked).to.equal(1)
    system.advance(MINUTE)
    await secondStep.health()
    expect(asked).to.equal(2)
    for (const transport of [{}, { verify: () => false }]) {
      expect((await healthWith(mailed(transport))).parts.mail).to.equal('not-asked')
    }
  })

  it('reads alone', async () => {
    const called: string[] = []
    const heard = <Part extends object>(part: Part): Part =>
      new Proxy(part, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          if (typeof value !== 'function') return value
          return (...given: unknown[]) => {
            called.push(String(name))
            const answer: unknown = value.apply(target, given)
            return name === 'counter' ? heard(Object(answer)) : answer
          }
        },
      })
    const { secondStep } = makeHost({
      options: {
        store: heard(memoryStore()),
        counters: heard(memoryCounters()),
        audit: heard(memoryAuditLog()),
      },
    })
    called.length = 0
    expect((await secondStep.health()).parts).to.deep.equal(WELL)
    expect(new Set(called)).to.deep.equal(
      new Set(['find', 'findPolicy', 'counter', 'taken', 'list']),
    )
  })

  it('answers within two seconds where the app lets a part take longer', async () => {
    await warningsDuring(async () => {
      const { ok } = await healthWith({ ...PARTS.marker?.(hang), timeout: 30_000 })
      expect(ok).to.equal(false)
    })
  }).timeout(15_000)
})
