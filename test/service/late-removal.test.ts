// The attack: a token is taken from its user twice, and the second removal is slow. Meanwhile the token is given
// back, and at the same time to somebody else: a code that was used at one of them opens the other.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../lib/index.js'
import { wire } from '../../lib/wiring.js'
import { movedSystem } from '../support/clock.js'
import { SEED } from '../support/fobs.js'

const KEY = randomBytes(32).toString('base64')
const SUBJECT = { roles: [], createdAt: null, privileged: false }
const FOB = {
  type: 'hotp',
  secret: Buffer.from(SEED, 'hex'),
  serial: 'A-1',
  algorithm: 'sha1',
  digits: 6,
  counter: 5,
} as const

/** A process with this store. */
function processWith(store: RecordStore) {
  const { site, records } = wire<{ id: string }>({
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [KEY],
    store,
    system: movedSystem(),
    timeout: 10_000,
  })
  const { administration, assignedTokens } = site
  const of = (userId: string) => {
    const actor = { kind: 'admin', id: 'ada' } as const
    const requestInfo = { ip: null, userAgent: null, actor }
    return { userId, subject: SUBJECT, requestInfo }
  }
  return {
    records,
    assign: (userId: string) => assignedTokens.assign(of(userId), FOB),
    remove: (userId: string, id: string) => administration.removeAuthenticator(of(userId), id),
  }
}

/** Holds the next call of a function back, until the test lets it go. */
function held<Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) {
  const signals = new EventTarget()
  let isHeld = true
  const begun = once(signals, 'begun')
  const released = once(signals, 'released')
  return {
    begun,
    release: () => void signals.dispatchEvent(new Event('released')),
    call: async (...args: Args): Promise<Answer> => {
      if (isHeld) {
        isHeld = false
        signals.dispatchEvent(new Event('begun'))
        await released
      }
      return call(...args)
    },
  }
}

describe('a removal of a hardware token', () => {
  it('that is slower than another frees no number that is being given to its user again', async () => {
    const { findSerial = expect.fail, ...shared } = memoryStore()
    const store = { ...shared, findSerial }
    const quick = processWith(store)
    expect((await quick.assign('ann')).kind).to.equal('done')
    const id = (await quick.records.find('ann')).authenticators[0]?.id ?? ''

    const look = held(findSerial)
    const slow = processWith({ ...store, findSerial: look.call })
    const slowly = slow.remove('ann', id)
    await look.begun
    expect((await quick.remove('ann', id)).kind).to.equal('done')

    const write = held(shared.write)
    const giving = processWith({ ...store, write: write.call })
    const again = giving.assign('ann')
    await write.begun
    look.release()
    expect((await slowly).kind).to.equal('not-found')
    expect((await quick.assign('bob')).kind).to.equal('serial-in-use')
    write.release()
    expect((await again).kind).to.equal('done')
    expect((await quick.records.find('bob')).authenticators).to.deep.equal([])
  })

  it('frees the number of a request that could not say that it had ended', async () => {
    const { writeSerial = expect.fail, ...shared } = memoryStore()
    const store = { ...shared, writeSerial }
    const broken: RecordStore['writeSerial'] = async (claim, expected) => {
      if ('isSettled' in claim && claim.isSettled) throw new Error('away')
      return writeSerial(claim, expected)
    }
    const there = processWith(store)
    expect((await processWith({ ...store, writeSerial: broken }).assign('ann')).kind).to.equal(
      'done',
    )
    expect((await there.assign('bob')).kind).to.equal('serial-in-use')
    const id = (await there.records.find('ann')).authenticators[0]?.id ?? ''
    expect((await there.remove('ann', id)).kind).to.equal('done')
    expect((await there.assign('bob')).kind).to.equal('done')
  })
})
