import { expect } from 'chai'
import type { Decision } from '../../lib/domain/decision.js'
import { BrokenRecordError } from '../../lib/domain/parse-record.js'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import { nameWrite } from '../../lib/domain/write-name.js'
import type { RecordAndPolicy } from '../../lib/ports/record-store.js'
import { DEFAULT_TIMEOUT } from '../../lib/ports/with-timeout.js'
import { deepFreeze, enrolledRecord, NOW, policyWith, USER } from '../support/records.js'
import { happened, raising, refusal, requestInfo, silence, world } from './scripted-store.js'

describe('reading a record', () => {
  it('gives what is stored, or a blank one where nothing ever was', async () => {
    const { store, records } = world()
    expect(await records.find(USER)).to.deep.equal(blankRecord(USER))
    store.stored = enrolledRecord()
    expect(await records.find(USER)).to.equal(store.stored)
  })
})

describe('reading the policy', () => {
  it('gives what is stored, or the default where nothing ever was', async () => {
    const { store, records } = world()
    expect(await records.policy()).to.equal(defaultPolicy)
    store.policy = policyWith('required')
    expect(await records.policy()).to.equal(store.policy)
  })
})

describe('reading both', () => {
  it('asks a store that can tell both at once, and no other twice', async () => {
    const { store, records } = world({ backupCodes: false })
    store.stored = enrolledRecord()
    const apart = { record: store.stored, policy: { ...defaultPolicy, backupCodes: false } }
    expect(await records.read(USER)).to.deep.equal(apart)
    expect(store.calls).to.deep.equal(['open', `find ${USER}`, 'findPolicy'])
    const policy = policyWith('required')
    store.read = async () => ({ record: enrolledRecord(), policy })
    expect(await records.read(USER)).to.deep.equal({
      ...apart,
      policy: { ...policy, backupCodes: false },
    })
    store.read = async () => ({ record: null, policy: null })
    expect(await records.read(USER)).to.deep.equal({ ...apart, record: blankRecord(USER) })
    expect(store.calls).to.have.length(3)
  })

  // Half an answer must not read as "not enrolled" or as a policy that requires nothing.
  it('refuses nonsense of either, and silence', async () => {
    const { store, records } = world({ timeout: 20 })
    const record = enrolledRecord()
    const answers: unknown[] = [
      undefined,
      null,
      {},
      { record },
      { policy: null },
      { record: {}, policy: null },
      { record: { ...record, userId: 'somebody else' }, policy: null },
      { record, policy: {} },
    ]
    for (const answer of answers) {
      store.read = async () => answer as RecordAndPolicy
      await refusal(records.read(USER))
    }
    store.read = () => silence()
    await refusal(records.read(USER))
    store.read = () => Promise.reject(new Error('gone'))
    await refusal(records.read(USER))
  })
})

describe('reading many records', () => {
  const found = (value: unknown) =>
    ({ status: 'fulfilled', value }) as PromiseFulfilledResult<SecondStepRecord | null>
  const failed = (reason: unknown) => ({ status: 'rejected', reason }) as const

  it('asks a store that can find many once, and another for each', async () => {
    const { store, records } = world()
    store.stored = enrolledRecord()
    expect(await records.findMany([USER])).to.deep.equal([store.stored])
    expect(store.calls).to.deep.equal(['open', `find ${USER}`])
    const asked: (readonly string[])[] = []
    store.findMany = async (ids) => {
      asked.push(ids)
      return [found(null), found(enrolledRecord())]
    }
    expect(await records.findMany(['bob', USER])).to.deep.equal([
      blankRecord('bob'),
      enrolledRecord(),
    ])
    expect(asked).to.deep.equal([['bob', USER]])
    expect(store.calls).to.have.length(2)
  })

  it('tells which are damaged or lost, and the others', async () => {
    const { store, records } = world()
    store.answers.find = () => ({ userId: USER })
    expect(await records.findMany([USER])).to.deep.equal([null])
    const lost = failed(new BrokenRecordError('lost'))
    store.findMany = async () => [found({ userId: USER }), lost, found(null)]
    expect(await records.findMany([USER, 'bob', 'eve'])).to.deep.equal([
      null,
      null,
      blankRecord('eve'),
    ])
  })

  // Answers in another order must give nobody the record of somebody else.
  it('refuses failures, nonsense, fewer answers, and silence', async () => {
    const { store, records } = world({ timeout: 20 })
    const answers: unknown[] = [undefined, null, {}, [], [found(null)], [found(null), undefined]]
    for (const answer of answers) {
      store.findMany = async () => answer as never
      await refusal(records.findMany([USER, 'bob']))
    }
    store.findMany = async () => [found(null), failed(new Error('gone'))]
    await refusal(records.findMany([USER, 'bob']))
    store.findMany = () => silence()
    await refusal(records.findMany([USER, 'bob']))
    store.findMany = async () => [found(enrolledRecord()), found(null)]
    expect(await records.findMany(['bob', USER])).to.deep.equal([null, blankRecord(USER)])
  })
})

describe('backup codes that the host switched off at start-up', () => {
  it('stay off, whatever the document says, and leave its other fields unchanged', async () => {
    const { store, records } = world({ backupCodes: false })
    expect(await records.policy()).to.deep.equal({ ...defaultPolicy, backupCodes: false })
    store.policy = { ...policyWith('required'), backupCodes: true }
    const expected = { ...policyWith('required'), backupCodes: false }
    expect(await records.policy()).to.deep.equal(expected)
  })

  it('are not switched on by a host that allows them where the document says no', async () => {
    const { store, records } = world({ backupCodes: true })
    store.policy = { ...defaultPolicy, backupCodes: false }
    expect((await records.policy()).backupCodes).to.equal(false)
  })
})

describe('changing a record', () => {
  it('writes the next version under a new name, and only then answers and announces', async () => {
    const { store, records, announced } = world()
    store.stored = enrolledRecord({ version: 4 })
    expect(await records.change(USER, requestInfo, raising())).to.equal('epoch 2')
    expect(store.calls).to.deep.equal([
      'open',
      `find ${USER}`,
      'write 5 over 4',
      'announced sessions-ended',
    ])
    const writeId = `${Buffer.alloc(12, 1).toString('base64url')}.first-wr`
    expect(store.written).to.deep.equal([{ ...enrolledRecord({ version: 5, epoch: 2 }), writeId }])
    const actor = { kind: 'user', id: USER }
    const told = { user: USER, actor, at: new Date(NOW), reason: null, detail: null }
    expect(announced).to.deep.equal([{ ...happened, ...requestInfo, ...told }])
  })

  it('writes nothing where the decision changes nothing, but answers and announces', async () => {
    const { store, records, announced } = world()
    const answer = await records.change(USER, requestInfo, (record, now) => {
      return { record, answer: now, events: [happened] }
    })
    expect(answer).to.equal(NOW)
    expect(store.written).to.deep.equal([])
    expect(announced).to.have.length(1)
  })

  // A cancelled reset, whose write no replica has: 503. Whoever repeats it is told that it is cancelled, the master
  // dies, and the reset is there again.
  describe('that is made already, in a store that waits for replicas', () => {
    const same = (record: SecondStepRecord) => ({ record, answer: record.version, events: [] })

    it('answers only once replicas have the same record', async () => {
      const { store, records } = world()
      store.waitsForReplicas = true
      const stored = enrolledRecord()
      store.stored = stored
      expect(await records.change(USER, requestInfo, same)).to.equal(stored.version)
      expect(store.calls).to.include(`write ${stored.version} over ${stored.version - 1}`)
      expect(store.written).to.deep.equal([stored])
      store.answers.write = () => Promise.reject(new Error('0 of 1 replicas'))
      await refusal(records.change(USER, requestInfo, same))
    })

    it('decides again on the record that was written meanwhile', async () => {
      const { store, records } = world()
      store.waitsForReplicas = true
      const stored = enrolledRecord()
      store.stored = { ...stored, version: stored.version + 1, writeId: 'of somebody else' }
      store.answers.write = () => store.written.length > 1
      const known = await records.change(USER, requestInfo, same, stored)
      expect(known).to.equal(stored.version + 1)
      expect(store.written.map(({ version }) => version)).to.deep.equal([
        stored.version,
        stored.version + 1,
      ])
    })

    it('waits for nothing where nothing was ever written, or nothing is promised', async () => {
      const { store, records } = world()
      store.waitsForReplicas = true
      await records.change(USER, requestInfo, same)
      store.stored = enrolledRecord()
      await records.change(USER, requestInfo, same, undefined, { confirms: false })
      expect(store.written).to.deep.equal([])
    })

    it('does the same for the policy', async () => {
      const { store, records } = world()
      store.waitsForReplicas = true
      const unchanged = (policy: Policy) => ({ policy, answer: policy.version, events: [] })
      await records.changePolicy(requestInfo, unchanged)
      const policy = { ...policyWith('required'), version: 3, writeId: 'own' }
      store.policy = policy
      const written: unknown[] = []
      store.writePolicy = async (...given: unknown[]) => written.push(given) > 1
      expect(await records.changePolicy(requestInfo, unchanged)).to.equal(policy.version)
      expect(written).to.deep.equal([1, 2].map(() => [policy, policy.version - 1]))
    })
  })

  it('begins with the record that the request has already read', async () => {
    const { store, records } = world()
    const known = enrolledRecord({ version: 4, epoch: 9 })
    expect(await records.change(USER, requestInfo, raising(), known)).to.equal('epoch 10')
    expect(store.calls).not.to.include(`find ${USER}`)
    expect(store.calls).to.include('write 5 over 4')
  })

  it('waits for a decision that takes its time', async () => {
    const { store, records } = world()
    const decide = raising()
    const answer = await records.change(USER, requestInfo, async (record) => decide(record))
    expect(answer).to.equal('epoch 1')
    expect(store.written).to.have.length(1)
  })

  it('decides again on the newer record when a race is lost, also over a stale one', async () => {
    const { store, records, announced } = world()
    const seen: SecondStepRecord[] = []
    store.stored = enrolledRecord({ version: 7, epoch: 3 })
    store.answers.write = () => store.written.length > 1
    const known = enrolledRecord({ version: 4, epoch: 2 })
    expect(await records.change(USER, requestInfo, raising(seen), known)).to.equal('epoch 4')
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
      requestInfo,
      (record): Decision<string> =>
        record.epoch === 5
          ? { record, answer: 'too late', events: [] }
          : { record: raiseEpoch(record), answer: 'first', events: [happened] },
      enrolledRecord({ epoch: 4 }),
    )
    expect(answer).to.equal('too late')
    expect(announced).to.deep.equal([])
  })

  // A client resends after a dropped connection; the write had taken place, another process has written over
  // it, and the store says that it lost. Decided anew, a used backup code is wrong and its new set is dead.
  for (const between of [1, 5]) {
    it(`answers and tells a write that took place, ${between} writes ago, though the store says it lost`, async () => {
      const { store, records, announced } = world()
      const seen: SecondStepRecord[] = []
      store.answers.write = () => {
        const first = store.written[0]?.writeId ?? ''
        const others = Array.from({ length: between }, (_, index) => `${index}-other-write`)
        const name = others.reduce((before, own) => nameWrite(own, before), first)
        store.stored = enrolledRecord({ version: 9, epoch: 9, writeId: name })
        return false
      }
      expect(await records.change(USER, requestInfo, raising(seen))).to.equal('epoch 1')
      expect(seen).to.have.length(1)
      expect(announced).to.have.length(1)
    })
  }

  it('gives up after ten lost races', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => false
    const error = await refusal(records.change(USER, requestInfo, raising()))
    expect(String(error.cause)).to.include('lost 10 races')
    expect(store.written).to.have.length(10)
    expect(announced).to.deep.equal([])
  })

  // The attack: somebody keeps changing a record of a slow store, and a request hangs for twenty seconds.
  it('begins no fourth try once the time of a call has passed since the first', async () => {
    const { store, records, system } = world()
    let time = 0
    Object.assign(system, { monotonic: () => time })
    store.answers.write = () => {
      time += 2 * DEFAULT_TIMEOUT
      return false
    }
    const error = await refusal(records.change(USER, requestInfo, raising()))
    expect(String(error.cause)).to.include('lost 3 races')
    expect(store.written).to.have.length(3)
    let tried = 0
    Object.assign(store, { writePolicy: store.answers.write })
    const change = records.changePolicy(requestInfo, (policy) => {
      tried += 1
      return { policy: { ...policy, graceDays: tried }, answer: null, events: [] }
    })
    expect(String((await refusal(change)).cause)).to.include('lost 3 races for the policy')
    expect(tried).to.equal(3)
  })

  it('still wins the tenth race', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => store.written.length === 10
    expect(await records.change(USER, requestInfo, raising())).to.equal('epoch 1')
    expect(announced).to.have.length(1)
  })

  it('never touches the record that was read', async () => {
    const { store, records } = world()
    const stored = enrolledRecord()
    store.stored = stored
    await records.change(USER, requestInfo, (record) => deepFreeze(raising()(record)))
    expect(stored).to.deep.equal(enrolledRecord())
  })

  it('lets an error of the decision through, and nothing has happened', async () => {
    const { store, records, announced } = world()
    const bug = new TypeError('a bug')
    const outcome = await records
      .change(USER, requestInfo, () => Promise.reject(bug))
      .catch((error: unknown) => error)
    expect(outcome).to.equal(bug)
    expect([store.written, announced]).to.deep.equal([[], []])
  })
})

describe('opening the store', () => {
  it('happens once, before anything else, however many ask at the same time', async () => {
    const { store, records } = world()
    await Promise.all([records.find(USER), records.policy(), records.open(), records.find('bob')])
    expect(store.calls.filter((call) => call.startsWith('open'))).to.have.length(1)
    expect(store.calls[0]).to.equal('open')
  })

  it('says whether this is production, and how long a call may take', async () => {
    const { store, records } = world({ production: true, timeout: 200 })
    await records.open()
    expect(store.calls).to.deep.equal(['open for production'])
    expect(store.timeout).to.equal(200)
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
