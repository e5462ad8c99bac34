import { expect } from 'chai'
import { Turns } from '../../lib/service/turns.js'
import { raising, refusal, requestInfo, silence, world } from './scripted-store.js'

const USER = 'ada'

describe('changes of one record at the same time', () => {
  it('take turns, each from what the one before has written', async () => {
    const { store, records } = world()
    const known = await records.find(USER)
    store.calls.length = 0
    const change = () => records.change(USER, requestInfo, raising(), known)
    const answers = await Promise.all(Array.from({ length: 50 }, change))
    expect(new Set(answers).size).to.equal(50)
    const ofStore = store.calls.filter((call) => !call.startsWith('announced'))
    expect(ofStore).to.deep.equal(
      Array.from({ length: 50 }, (_, nth) => `write ${nth + 1} over ${nth}`),
    )
  })

  it('do not wait for those of another', async () => {
    const { store, records } = world()
    store.answers.write = () => (store.written.length === 1 ? silence() : true)
    void records.change('bob', requestInfo, raising()).catch(() => undefined)
    expect(await records.change(USER, requestInfo, raising())).to.equal('epoch 1')
  })

  it('read anew where another process has come between', async () => {
    const { store, records } = world()
    const known = await records.find(USER)
    let raced = false
    store.answers.write = () => {
      if (raced) return true
      raced = true
      store.stored = { ...known, version: 7, epoch: 20, writeId: 'another' }
      return false
    }
    const change = () => records.change(USER, requestInfo, raising(), known)
    expect(await Promise.all([change(), change()])).to.deep.equal(['epoch 21', 'epoch 22'])
  })

  it('begin from what the request has read, if that is newer', async () => {
    const { records } = world()
    const known = { ...(await records.find(USER)), version: 9, epoch: 30 }
    const answers = await Promise.all([
      records.change(USER, requestInfo, raising(), { ...known, version: 3, epoch: 10 }),
      records.change(USER, requestInfo, raising(), known),
    ])
    expect(answers).to.deep.equal(['epoch 11', 'epoch 31'])
  })

  // Promise 7: each of them is refused in time, not one after the other.
  it('are all refused in time by a store that is silent', async () => {
    const { store, records } = world({ timeout: 100 })
    const known = await records.find(USER)
    store.answers.write = () => silence()
    const began = Date.now()
    const change = () => refusal(records.change(USER, requestInfo, raising(), known))
    await Promise.all(Array.from({ length: 10 }, change))
    expect(Date.now() - began).to.be.below(600)
  })

  it('go on at once where one of them fails', async () => {
    const { store, records } = world({ timeout: 60_000 })
    const known = await records.find(USER)
    store.answers.write = () => {
      if (store.written.length === 1) throw new Error('away')
      return true
    }
    const failed = refusal(records.change(USER, requestInfo, raising(), known))
    const second = records.change(USER, requestInfo, raising(), known)
    await failed
    expect(await second).to.equal('epoch 1')
  })

  // A store of the host's, or a key service, that itself changes the record.
  it('do not wait for a change that waits for them', async () => {
    const { store, records } = world({ timeout: 60_000 })
    const known = await records.find(USER)
    let inner: Promise<unknown> | null = null
    store.answers.write = async () => {
      if (inner !== null) return true
      const change = () => records.change(USER, requestInfo, raising())
      inner = change().then(change).then(change)
      await inner
      return false
    }
    const outer = await records.change(USER, requestInfo, raising(), known)
    expect(await inner).to.equal('epoch 3')
    expect(outer).to.equal('epoch 4')
  })

  it('are forgotten when all are done', async () => {
    const turns = new Turns<{ version: number }>(60_000)
    const seen: (number | null)[] = []
    const run = () =>
      turns.run(USER, async (newest, leave) => {
        seen.push(newest?.version ?? null)
        leave({ version: (newest?.version ?? 0) + 1 })
      })
    await Promise.all([run(), run(), run()])
    await run()
    expect(seen).to.deep.equal([null, 1, 2, null])
  })
})
