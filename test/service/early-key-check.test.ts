// The mistake: an app moves to another domain, and hears of its users' keys from the users.

import { once } from 'node:events'
import { expect } from 'chai'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { createSecondStep, memoryStore } from '../../lib/index.js'
import { EarlyKeyCheck } from '../../lib/service/early-key-check.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { movedSystem } from '../support/clock.js'
import { authenticatorWith, enrolledRecord, keyWith } from '../support/records.js'
import { warningsDuring } from '../support/warnings.js'

const OLD = keyWith({ rpId: 'old.example' })

/** So many users with a key of the old domain each, on pages as a store has them. */
function listed(count: number) {
  const queries: (string | null)[] = []
  return {
    queries,
    records: {
      list: async ({ cursor, limit }: { cursor: string | null; limit: number }) => {
        queries.push(cursor)
        const from = Number(cursor ?? 0)
        const to = Math.min(from + limit, count)
        const records: SecondStepRecord[] = []
        for (let at = from; at < to; at += 1) {
          records.push(enrolledRecord({ userId: `user-${at}`, authenticators: [OLD] }))
        }
        const next = to < count ? String(to) : null
        return { records, damaged: [], lost: [], lostLists: [], next }
      },
    },
  }
}

function checkOf(
  { records }: Pick<ConstructorParameters<typeof EarlyKeyCheck>[0], 'records'>,
  hostIdOf: (id: string) => string | null = (id) => id,
): EarlyKeyCheck {
  const failureReporter = new FailureReporter(movedSystem())
  return new EarlyKeyCheck({
    records,
    rpId: 'new.example',
    hostIdOf,
    failureReporter,
    now: () => 0,
  })
}

describe('the start of an app whose keys were made for another domain', () => {
  it('tells how many users have such keys, and how many nothing else', async () => {
    const store = memoryStore()
    const app = authenticatorWith()
    const ann = enrolledRecord({ userId: 'ann', authenticators: [OLD], version: 1 })
    const bob = enrolledRecord({ userId: 'bob', authenticators: [app, OLD], version: 1 })
    for (const record of [ann, bob]) await store.write(record, 0)
    const keys = [Buffer.from('a key of 32 bytes \u0000\u0001\u0002 for this test').subarray(0, 32)]
    const said = await warningsDuring(async () => {
      const secondStep = createSecondStep({
        ...{ issuer: 'Acme', origin: 'https://new.example', store, webauthn: {} },
        keys: keys.map((key) => key.toString('base64')),
      })
      for (let told = ''; !told.includes('security keys'); ) {
        const [warning] = await once(process, 'warning')
        told = warning.message
      }
      await secondStep.close()
    })
    expect(said.filter((text) => text.includes('security keys'))).to.have.length(1)
    expect(said.join()).to.match(
      /passport-second-step: 2 users .* than new\.example.* 1 of them have no other device/,
    )
  })

  it('reads a thousand users at most, and says so', async () => {
    const many = listed(1200)
    const [told] = await warningsDuring(() => checkOf(many).look())
    expect(told).to.contain('of the first 1000 users')
    expect(told).to.contain('1000 users have security keys')
    expect(many.queries).to.have.length(10)
  })

  it('counts no users of another app on the same store', async () => {
    const many = listed(2)
    const said = await warningsDuring(() =>
      checkOf(many, (id) => (id === 'user-1' ? id : null)).look(),
    )
    expect(said.join()).to.contain(': 1 users have')
  })

  it('says nothing where all keys are of this domain', async () => {
    const records = {
      list: async () => ({
        ...{ damaged: [], lost: [], lostLists: [], next: null },
        records: [enrolledRecord({ authenticators: [keyWith({ rpId: 'new.example' })] })],
      }),
    }
    expect(await warningsDuring(() => checkOf({ records }).look())).to.deep.equal([])
  })

  it('is not stopped by a store that is away: it is told as any failure', async () => {
    const records = { list: () => Promise.reject(new Error('the store is away')) }
    const said = await warningsDuring(() => checkOf({ records }).look())
    expect(said.join()).to.contain('the store is away')
  })

  it('reads no further page once the app closes', async () => {
    const many = listed(1200)
    const check = checkOf(many)
    const looking = check.look()
    await check.stop()
    await warningsDuring(() => looking)
    expect(many.queries).to.have.length(1)
  })
})
