// The mistake: two apps on one Redis give their stores prefixes, and not their counters. Wrong passwords at one then
// refuse the user with the same id at the other, and nobody hears why.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { createSecondStep, memoryStore, redisCounters } from '../../lib/index.js'
import { warningsDuring } from '../support/warnings.js'

/** What is said of counters at the start of an app whose store has this prefix. */
async function saidAtStart(prefix: string | undefined, ofCounters: { prefix?: string } | null) {
  const redis = new Redis({ lazyConnect: true })
  const store = prefix === undefined ? memoryStore() : { ...memoryStore(), prefix }
  const said = await warningsDuring(() => {
    createSecondStep({
      ...{ issuer: 'Acme', origin: 'https://acme.example', store },
      keys: [randomBytes(32).toString('base64')],
      ...(ofCounters === null ? { redis } : { counters: redisCounters(redis, ofCounters) }),
    })
  })
  redis.disconnect()
  return said.filter((warning) => warning.includes('counters'))
}

describe('counters that leave out the prefix of the store', () => {
  it('are told at start-up, with the line to write', async () => {
    const said = await saidAtStart('shop', {})
    expect(said).to.have.length(1)
    expect(said[0]).to.include("redisCounters(redis, { prefix: 'shop' })")
  })

  it('are none where both have one, or neither', async () => {
    expect(await saidAtStart('shop', { prefix: 'shop' })).to.deep.equal([])
    expect(await saidAtStart('shop', { prefix: 'counts-of-shop' })).to.deep.equal([])
    expect(await saidAtStart('shop', null)).to.deep.equal([])
    expect(await saidAtStart('second-step', {})).to.deep.equal([])
    expect(await saidAtStart(undefined, {})).to.deep.equal([])
  })
})
