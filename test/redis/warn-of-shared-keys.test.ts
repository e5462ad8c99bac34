// The mistake: two apps on one Redis give their stores prefixes, and not their counters or audit logs. Wrong passwords
// at one then refuse the user with the same id at the other, or show up among that user's events, and nobody hears why.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import {
  createSecondStep,
  memoryStore,
  redisAuditLog,
  redisCounters,
  type SecondStepOptions,
} from '../../lib/index.js'
import { warningsDuring } from '../support/warnings.js'

interface Prefixed {
  readonly prefix?: string
}

type PartOf = (redis: Redis, options: Prefixed) => Partial<SecondStepOptions>

const PARTS: Readonly<Record<string, PartOf>> = {
  redisCounters: (redis, options) => ({ counters: redisCounters(redis, options) }),
  redisAuditLog: (redis, options) => ({ audit: redisAuditLog(redis, options) }),
}

/** What is said of it at the start of an app whose store has this prefix. */
async function saidAtStart(prefix: string | undefined, partsOf: (redis: Redis) => object) {
  const redis = new Redis({ lazyConnect: true })
  const store = prefix === undefined ? memoryStore() : { ...memoryStore(), prefix }
  const said = await warningsDuring(() => {
    createSecondStep({
      ...{ issuer: 'Acme', origin: 'https://acme.example', store },
      keys: [randomBytes(32).toString('base64')],
      ...partsOf(redis),
    })
  })
  redis.disconnect()
  return said.filter((warning) => warning.includes('has the prefix'))
}

for (const [name, partOf] of Object.entries(PARTS)) {
  describe(`${name}() without the prefix of the store`, () => {
    const saidOf = (prefix: string | undefined, options: Prefixed) =>
      saidAtStart(prefix, (redis) => partOf(redis, options))

    it('is told at start-up, with the line to write', async () => {
      const said = await saidOf('shop', {})
      expect(said).to.have.length(1)
      expect(said[0]).to.include(`${name}(redis, { prefix: 'shop' })`)
    })

    it('is nothing to tell where both have one, or neither', async () => {
      expect(await saidOf('shop', { prefix: 'shop' })).to.deep.equal([])
      expect(await saidOf('shop', { prefix: 'another-of-shop' })).to.deep.equal([])
      expect(await saidOf('second-step', {})).to.deep.equal([])
      expect(await saidOf(undefined, {})).to.deep.equal([])
      expect(await saidAtStart('shop', (redis) => ({ redis }))).to.deep.equal([])
    })
  })
}
