import { expect } from 'chai'
import { noAttempts } from '../../lib/domain/attempts.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepEvent } from '../../lib/domain/event.js'
import { defaultPolicy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import type { RecordStore } from '../../lib/ports/record-store.js'
import type { System } from '../../lib/ports/system.js'
import { type AnnouncedEvent, Announcer } from '../../lib/service/announcer.js'
import { Records } from '../../lib/service/records.js'
import {
  DAY,
  deepFreeze,
  enrolledRecord,
  NOW,
  policyWith,
  recordWith,
  USER,
} from '../support/records.js'

const occasion = { ip: '192.0.2.1', userAgent: 'a browser' }
const happened: SecondStepEvent = { type: 'sessions-ended', method: null }

/** A promise as a store gives it whose server does not answer. */
function silence<T>(): Promise<T> {
  return new Promise<T>(() => {})
}

/** A store whose answers each test writes down; what it was asked is kept, in order. */
class ScriptedStore implements RecordStore {
  readonly calls: string[] = []
  readonly written: SecondStepRecord[] = []
  stored: unknown = null
  policy: unknown = null
  answers: { find?: () => unknown; write?: () => unknown; open?: () => unknown } = {}

  async find(userId: string): Promise<SecondStepRecord | null> {
    this.calls.push(`find ${userId}`)
    return (this.answers.find ? await this.answers.find() : this.stored) as SecondStepRecord | null
  }

  async write(record: SecondStepRecord, expectedVersion: number): Promise<boolean> {
    this.calls.push(`write ${record.version} over ${expectedVersion}`)
    this.written.push(record)
    const answer = this.answers.write ? await this.answers.write() : true
    if (answer === true) this.stored = record
    return answer as boolean
  }

  async findPolicy(): Promise<null> {
    this.calls.push('findPolicy')
    return (await this.policy) as null
  }

  async writePolicy(): Promise<boolean> {
    throw new Error('not asked for here')
  }

  async list(): Promise<null> {
    throw new Error('not asked for here')
  }

  async open({ production }: { production: boolean }): Promise<void> {
    this.calls.push(production ? 'open for production' : 'open')
    await this.answers.open?.()
  }
}

function world({ production = false } = {}) {
  const store = new ScriptedStore()
  const announced: AnnouncedEvent[] = []
  let drawn = 0
  const system: System = {
    now: () => NOW,
    random: (size) => {
      drawn += 1
      return new Uint8Array(size).fill(drawn)
    },
  }
  const announcer = new Announcer(system)
  announcer.events.on('event', (event) => {
    store.calls.push(`announced ${event.type}`)
    announced.push(event)
  })
  return { store, announced, records: new Records(store, system, announcer, { production }) }
}

/** A decision that changes the record; how often it was taken and on what is kept. */
function raising(seen: SecondStepRecord[] = []) {
  return (record: SecondStepRecord): Decision<string> => {
    seen.push(record)
    return { record: raiseEpoch(record), answer: `epoch ${record.epoch + 1}`, events: [happened] }
  }
}

async function refusal(promise: Promise<unknown>): Promise<UnavailableError> {
  const outcome = await promise.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  )
  expect(outcome).to.be.instanceOf(UnavailableError)
  return outcome as UnavailableError
}

const NONSENSE: Record<string, unknown> = {
  undefined: undefined,
  'a word': 'yes',
  false: false,
  true: true,
  'an empty object': {},
  'an array': [enrolledRecord()],
  "another user's record": { ...enrolledRecord(), userId: 'bob' },
  'a record without its authenticator': { ...enrolledRecord(), authenticator: undefined },
  'a record as text': JSON.stringify(enrolledRecord()),
}

describe('reading a record', () => {
  it('gives what is stored, or a blank one where nothing ever was', async () => {
    const { store, records } = world()
    expect(await records.find(USER)).to.deep.equal(blankRecord(USER))
    store.stored = enrolledRecord()
    expect(await records.find(USER)).to.equal(store.stored)
  })

  for (const [what, nonsense] of Object.entries(NONSENSE)) {
    it(`is refused when the store answers ${what}: that is not "not enrolled"`, async () => {
      const { store, records } = world()
      store.stored = nonsense
      const error = await refusal(records.find(USER))
      expect(error).to.include({ code: 'unavailable', status: 503 })
      expect(error.message).to.equal('the record store is not available')
      expect(error.cause).to.be.instanceOf(Error)
    })
  }

  it('is refused when the store rejects or throws, with what it said as the cause', async () => {
    const cause = new Error('ECONNREFUSED')
    const { store, records } = world()
    store.answers.find = () => Promise.reject(cause)
    expect((await refusal(records.find(USER))).cause).to.equal(cause)
    store.find = () => {
      throw cause
    }
    expect((await refusal(records.find(USER))).cause).to.equal(cause)
  })
})

describe('reading the policy', () => {
  it('gives what is stored, or the default where nothing ever was', async () => {
    const { store, records } = world()
    expect(await records.policy()).to.equal(defaultPolicy)
    store.policy = policyWith('required')
    expect(await records.policy()).to.equal(store.policy)
  })

  it('is refused when the store answers nonsense', async () => {
    for (const nonsense of [undefined, 'off', {}, false, { ...defaultPolicy, mode: 'of' }]) {
      const { store, records } = world()
      store.policy = nonsense
      await refusal(records.policy())
    }
  })
})

describe('changing a record', () => {
  it('writes the next version under a new name, and only then answers and announces', async () => {
    const { store, records, announced } = world()
    store.stored = enrolledRecord({ version: 4 })
    expect(await records.change(USER, occasion, raising())).to.equal('epoch 2')
    expect(store.calls).to.deep.equal([
      'open',
      `find ${USER}`,
      'write 5 over 4',
      'announced sessions-ended',
    ])
    const writeId = Buffer.alloc(12, 1).toString('base64url')
    expect(store.written).to.deep.equal([{ ...enrolledRecord({ version: 5, epoch: 2 }), writeId }])
    expect(announced).to.deep.equal([
      { ...happened, ...occasion, userId: USER, actor: USER, at: new Date(NOW) },
    ])
  })

  it('writes nothing where the decision changes nothing, but answers and announces', async () => {
    const { store, records, announced } = world()
    const answer = await records.change(USER, occasion, (record, now) => {
      return { record, answer: now, events: [happened] }
    })
    expect(answer).to.equal(NOW)
    expect(store.written).to.deep.equal([])
    expect(announced).to.have.length(1)
  })

  it('begins with the record that the request has already read', async () => {
    const { store, records } = world()
    const known = enrolledRecord({ version: 4, epoch: 9 })
    expect(await records.change(USER, occasion, raising(), known)).to.equal('epoch 10')
    expect(store.calls).not.to.include(`find ${USER}`)
    expect(store.calls).to.include('write 5 over 4')
  })

  it('waits for a decision that takes its time', async () => {
    const { store, records } = world()
    const decide = raising()
    const answer = await records.change(USER, occasion, async (record) => decide(record))
    expect(answer).to.equal('epoch 1')
    expect(store.written).to.have.length(1)
  })

  it('decides again on the newer record when a race is lost, also over a stale one', async () => {
    const { store, records, announced } = world()
    const seen: SecondStepRecord[] = []
    store.stored = enrolledRecord({ version: 7, epoch: 3 })
    store.answers.write = () => store.written.length > 1
    const known = enrolledRecord({ version: 4, epoch: 2 })
    expect(await records.change(USER, occasion, raising(seen), known)).to.equal('epoch 4')
    expect(seen.map(({ version }) => version)).to.deep.equal([4, 7])
    expect(store.written.map(({ version }) => version)).to.deep.equal([5, 8])
    expect(new Set(store.written.map(({ writeId }) => writeId)).size).to.equal(2)
    expect(announced).to.have.length(1)
  })

  it('lets a lost race end in an answer that changes nothing', async () => {
    const { store, records, announced } = world()
    store.stored = enrolledRecord({ epoch: 5 })
    store.answers.write = () => false
    const answer = await records.change(
      USER,
      occasion,
      (record): Decision<string> =>
        record.epoch === 5
          ? { record, answer: 'too late', events: [] }
          : { record: raiseEpoch(record), answer: 'first', events: [happened] },
      enrolledRecord({ epoch: 4 }),
    )
    expect(answer).to.equal('too late')
    expect(announced).to.deep.equal([])
  })

  it('gives up after ten lost races', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => false
    const error = await refusal(records.change(USER, occasion, raising()))
    expect(String(error.cause)).to.include('lost 10 races')
    expect(store.written).to.have.length(10)
    expect(announced).to.deep.equal([])
  })

  it('still wins the tenth race', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => store.written.length === 10
    expect(await records.change(USER, occasion, raising())).to.equal('epoch 1')
    expect(announced).to.have.length(1)
  })

  it('never touches the record that was read', async () => {
    const { store, records } = world()
    const stored = enrolledRecord()
    store.stored = stored
    await records.change(USER, occasion, (record) => deepFreeze(raising()(record)))
    expect(stored).to.deep.equal(enrolledRecord())
  })

  it('lets an error of the decision through, and nothing has happened', async () => {
    const { store, records, announced } = world()
    const bug = new TypeError('a bug')
    const outcome = await records
      .change(USER, occasion, () => Promise.reject(bug))
      .catch((error: unknown) => error)
    expect(outcome).to.equal(bug)
    expect([store.written, announced]).to.deep.equal([[], []])
  })
})

describe('the lock that a record is listed by', () => {
  it('is noted with the write that puts it on, and gone with the one that lifts it', async () => {
    const { store, records } = world()
    const misses = Array.from({ length: 20 }, () => NOW)
    const with20 = (record: SecondStepRecord): Decision<null> => {
      return {
        record: { ...record, attempts: { misses, consecutive: 0 } },
        answer: null,
        events: [],
      }
    }
    await records.change(USER, occasion, with20, enrolledRecord())
    expect(store.written[0]?.lockedUntil).to.equal(NOW + DAY)
    await records.change(USER, occasion, (record) => {
      return { record: { ...record, attempts: noAttempts }, answer: null, events: [] }
    })
    expect(store.written[1]?.lockedUntil).to.equal(null)
  })

  it('is none without an authenticator', async () => {
    const { store, records } = world()
    const attempts = { misses: Array.from({ length: 20 }, () => NOW), consecutive: 0 }
    await records.change(USER, occasion, raising(), recordWith({ attempts }))
    expect(store.written[0]?.lockedUntil).to.equal(null)
  })
})

describe('a write that fails', () => {
  const answers = [undefined, null, 'yes', 'OK', 1, 0, {}, Object(true)]
  for (const answer of answers) {
    it(`is refused, not announced and not tried again when the answer is ${answer}`, async () => {
      const { store, records, announced } = world()
      store.answers.write = () => answer
      await refusal(records.change(USER, occasion, raising()))
      expect(store.written).to.have.length(1)
      expect(announced).to.deep.equal([])
    })
  }

  it('is refused, not announced and not tried again when the store rejects', async () => {
    const { store, records, announced } = world()
    const cause = new Error('connection lost')
    store.answers.write = () => Promise.reject(cause)
    expect((await refusal(records.change(USER, occasion, raising()))).cause).to.equal(cause)
    expect(store.calls).to.deep.equal(['open', `find ${USER}`, 'write 1 over 0'])
    expect(announced).to.deep.equal([])
  })

  it('ends the change when reading again fails after a lost race', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => false
    store.answers.find = () => Promise.reject(new Error('gone'))
    await refusal(records.change(USER, occasion, raising(), recordWith()))
    expect(store.written).to.have.length(1)
    expect(announced).to.deep.equal([])
  })
})

describe('a store that hangs', () => {
  it('is refused after a second at each of its calls; a write is not tried again', async () => {
    const hanging = () => silence<never>()
    const [find, write, policy, open] = [world(), world(), world(), world()]
    find.store.answers.find = hanging
    write.store.answers.write = hanging
    policy.store.policy = silence()
    open.store.answers.open = hanging
    const began = performance.now()
    const errors = await Promise.all([
      refusal(find.records.find(USER)),
      refusal(write.records.change(USER, occasion, raising())),
      refusal(policy.records.policy()),
      refusal(open.records.find(USER)),
    ])
    expect(performance.now() - began).to.be.within(900, 1900)
    for (const { cause } of errors) expect(String(cause)).to.include('no answer within 1000 ms')
    expect(write.store.calls).to.deep.equal(['open', `find ${USER}`, 'write 1 over 0'])
    expect(write.announced).to.deep.equal([])
    expect(open.store.calls).to.deep.equal(['open'])
  })
})

describe('opening the store', () => {
  it('happens once, before anything else, however many ask at the same time', async () => {
    const { store, records } = world()
    await Promise.all([records.find(USER), records.policy(), records.open(), records.find('bob')])
    expect(store.calls.filter((call) => call.startsWith('open'))).to.have.length(1)
    expect(store.calls[0]).to.equal('open')
  })

  it('says whether this is production', async () => {
    const { store, records } = world({ production: true })
    await records.open()
    expect(store.calls).to.deep.equal(['open for production'])
  })

  it('is an answer for now when it fails: nothing is read, and the next call opens again', async () => {
    const { store, records } = world()
    store.answers.open = () => Promise.reject(new Error('no marker'))
    await refusal(records.find(USER))
    await refusal(records.policy())
    expect(store.calls).to.deep.equal(['open', 'open'])
    store.answers.open = () => undefined
    expect(await records.find(USER)).to.deep.equal(blankRecord(USER))
    expect(store.calls).to.deep.equal(['open', 'open', 'open', `find ${USER}`])
  })

  it('is not needed by a store that has no such method', async () => {
    const { store, records } = world()
    Reflect.set(store, 'open', undefined)
    await records.open()
    expect(await records.find(USER)).to.deep.equal(blankRecord(USER))
  })
})
