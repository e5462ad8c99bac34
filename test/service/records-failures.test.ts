import { expect } from 'chai'
import { defaultPolicy } from '../../lib/domain/policy.js'
import { enrolledRecord, recordWith, USER } from '../support/records.js'
import { raising, refusal, requestInfo, silence, world } from './scripted-store.js'

// Promise 7: a part that fails, hangs or answers nonsense is a refusal. Taken for "not enrolled", one
// lost answer would let the password alone open the account.

const NONSENSE: Record<string, unknown> = {
  undefined: undefined,
  'a word': 'yes',
  false: false,
  true: true,
  'an empty object': {},
  'an array': [enrolledRecord()],
  "another user's record": { ...enrolledRecord(), userId: 'bob' },
  'a record without its authenticator': { ...enrolledRecord(), authenticators: undefined },
  'a record as text': JSON.stringify(enrolledRecord()),
}

describe('reading a record that cannot be read', () => {
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

describe('reading a policy that cannot be read', () => {
  it('is refused when the store answers nonsense', async () => {
    for (const nonsense of [undefined, 'off', {}, false, { ...defaultPolicy, mode: 'of' }]) {
      const { store, records } = world()
      store.policy = nonsense
      await refusal(records.policy())
    }
  })
})

describe('a write that fails', () => {
  const answers = [undefined, null, 'yes', 'OK', 1, 0, {}, Object(true)]
  for (const answer of answers) {
    it(`is refused, not announced and not tried again when the answer is ${answer}`, async () => {
      const { store, records, announced } = world()
      store.answers.write = () => answer
      await refusal(records.change(USER, requestInfo, raising()))
      expect(store.written).to.have.length(1)
      expect(announced).to.deep.equal([])
    })
  }

  it('is refused, not announced and not tried again when the store rejects', async () => {
    const { store, records, announced } = world()
    const cause = new Error('connection lost')
    store.answers.write = () => Promise.reject(cause)
    expect((await refusal(records.change(USER, requestInfo, raising()))).cause).to.equal(cause)
    expect(store.calls).to.deep.equal(['open', `find ${USER}`, 'write 1 over 0'])
    expect(announced).to.deep.equal([])
  })

  it('ends the change when reading again fails after a lost race', async () => {
    const { store, records, announced } = world()
    store.answers.write = () => false
    store.answers.find = () => Promise.reject(new Error('gone'))
    await refusal(records.change(USER, requestInfo, raising(), recordWith()))
    expect(store.written).to.have.length(1)
    expect(announced).to.deep.equal([])
  })
})

describe('a store that hangs', () => {
  it('is refused at each of its calls after the time that it has; a write is not tried again', async () => {
    const hanging = () => silence<never>()
    const silent = () => world({ timeout: 150 })
    const [find, write, policy, open] = [silent(), silent(), silent(), silent()]
    find.store.answers.find = hanging
    write.store.answers.write = hanging
    policy.store.policy = silence()
    open.store.answers.open = hanging
    const began = performance.now()
    const errors = await Promise.all([
      refusal(find.records.find(USER)),
      refusal(write.records.change(USER, requestInfo, raising())),
      refusal(policy.records.policy()),
      refusal(open.records.find(USER)),
    ])
    expect(performance.now() - began).to.be.within(100, 9000)
    for (const { cause } of errors) expect(String(cause)).to.include('no answer within 150 ms')
    expect(write.store.calls).to.deep.equal(['open', `find ${USER}`, 'write 1 over 0'])
    expect(write.announced).to.deep.equal([])
    expect(open.store.calls).to.deep.equal(['open'])
  })
})
