import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { DEFAULT_TIMEOUT } from '../../lib/ports/with-timeout.js'
import { Announcer, NO_REQUEST } from '../../lib/service/announcer.js'
import { Records } from '../../lib/service/records.js'
import { Reseal } from '../../lib/service/reseal.js'
import { Vault } from '../../lib/service/vault.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { movedSystem } from '../support/clock.js'
import {
  authenticatorOf,
  authenticatorWith,
  enrolledRecord,
  MINUTE,
  NOW,
  secretOf,
  UNPROVEN,
  USER,
} from '../support/records.js'

const system = movedSystem(NOW)
const [oldKey, newKey] = [0, 0].map(() => randomBytes(32).toString('base64'))
/** Both secrets were sealed anew, and none is left under another key. */
const RESEALED = { sealed: 2, upToDate: true, left: [] }
const ofSecret = { purpose: 'authenticator', userId: USER } as const

/** A record whose secrets are sealed under the old key, and a ring that has a new one. */
async function world() {
  const store = memoryStore()
  const old = keyRing([oldKey], system).sealer
  const secret = await old.seal(Buffer.from('live'), ofSecret)
  const ofSetup = await old.seal(Buffer.from('new'), { purpose: 'setup', userId: USER })
  const setup = {
    ...UNPROVEN,
    owner: 'o',
    secret: ofSetup,
    startedAt: NOW,
    misses: 0,
    replaces: 'all' as const,
  }
  const record = enrolledRecord({ authenticators: [authenticatorWith({ secret })], setup })
  await store.write(record, 0)
  const records = new Records(store, system, new Announcer(system), {
    production: false,
    timeout: DEFAULT_TIMEOUT,
  })
  const reseal = new Reseal(
    records,
    new Vault(keyRing([newKey, oldKey], system).sealer, DEFAULT_TIMEOUT),
  )
  const stored = async (): Promise<SecondStepRecord> => (await store.find(USER)) ?? record
  return { store, record, reseal, stored }
}

describe('Sealing a secret again', () => {
  it('puts secrets under the first key, and changes nothing else', async () => {
    const { record, reseal, stored } = await world()
    expect(await reseal.record(record, NO_REQUEST)).to.deep.equal(RESEALED)
    const after = await stored()
    const alone = keyRing([newKey], system).sealer
    const live = await alone.open(secretOf(after.authenticators[0]), ofSecret)
    expect(Buffer.from(live.secret).toString()).to.equal('live')
    const setup = await alone.open(secretOf(after.setup), { ...ofSecret, purpose: 'setup' })
    expect(Buffer.from(setup.secret).toString()).to.equal('new')
    const same = ({ version: _, writeId: __, lockedUntil: ___, ...rest }: SecondStepRecord) => ({
      ...rest,
      authenticators: rest.authenticators.map((one) => ({ ...one, secret: '' })),
      setup: { ...rest.setup, secret: '' },
    })
    expect(same(after)).to.deep.equal(same(record))
  })

  it('writes nothing where there is nothing to do', async () => {
    const { record, reseal, stored } = await world()
    await reseal.record(record, NO_REQUEST)
    const before = await stored()
    expect(await reseal.record(before, NO_REQUEST)).to.deep.equal({ ...RESEALED, sealed: 0 })
    expect(await stored()).to.deep.equal(before)
  })

  // A code is used while the records are gone through: the write of an old copy would bring it back.
  it('loses nothing that was written meanwhile', async () => {
    const { store, record, reseal, stored } = await world()
    const authenticator = authenticatorWith({
      secret: secretOf(record.authenticators[0]),
      lastStep: 60_000_000,
    })
    await store.write(
      { ...record, authenticators: [authenticator], version: 2, writeId: 'a code was used' },
      1,
    )
    expect(await reseal.record(record, NO_REQUEST)).to.deep.equal(RESEALED)
    const after = await stored()
    expect([after.version, authenticatorOf(after)?.lastStep]).to.deep.equal([3, 60_000_000])
  })

  it('refuses a secret that no key opens, and leaves it unchanged', async () => {
    const { store, record, reseal, stored } = await world()
    const foreign = authenticatorWith({ secret: 'not sealed' })
    const broken = { ...record, authenticators: [foreign], version: 2, writeId: 'broken' }
    await store.write(broken, 1)
    const { left, sealed } = await reseal.record({ ...broken, setup: null }, NO_REQUEST)
    expect(sealed).to.equal(0)
    expect(left.map(({ keyId }) => keyId)).to.deep.equal([null])
    expect(left[0]?.error).to.have.property('code', 'unavailable')
    expect(await stored()).to.deep.equal(broken)
  })

  it('seals what it can open where another secret of the record cannot be', async () => {
    const { store, record, reseal, stored } = await world()
    const [live] = record.authenticators
    const unreadable = { ...authenticatorWith({ secret: 'not sealed' }), id: 'other' }
    const authenticators = live === undefined ? [] : [unreadable, live]
    const half = { ...record, authenticators, version: 2, writeId: 'half' }
    await store.write(half, 1)
    const { sealed, left } = await reseal.record(half, NO_REQUEST)
    expect([sealed, left.length]).to.deep.equal([2, 1])
    const after = await stored()
    expect(after.authenticators[0]).to.deep.equal(unreadable)
    await keyRing([newKey], system).sealer.open(secretOf(after.authenticators[1]), ofSecret)
  })

  it('ends a set-up whose time is over, whatever key it was sealed under', async () => {
    const { store, record, reseal, stored } = await world()
    const { setup } = record
    const over = setup && { ...setup, secret: 'not sealed', startedAt: NOW - 10 * MINUTE }
    const old = { ...record, setup: over, version: 2, writeId: 'old' }
    await store.write(old, 1)
    expect(await reseal.record(old, NO_REQUEST)).to.deep.equal({ ...RESEALED, sealed: 1 })
    expect((await stored()).setup).to.equal(null)
  })
})
