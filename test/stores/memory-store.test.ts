import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { auditLogCases, recordStoreCases } from '../../lib/testing/index.js'
import { rejectionOf } from './rejection.js'

describe('memoryStore', () => {
  describe('keeps the contract of a record store', () => {
    for (const { name, run } of recordStoreCases) {
      it(name, () =>
        run(() => ({
          store: memoryStore(),
          another: { noneBecause: 'the records are inside the one adapter' },
        })),
      )
    }
  })

  describe('keeps the contract of an audit log', () => {
    for (const { name, run } of auditLogCases)
      it(name, () => run(() => ({ log: memoryAuditLog() })))
  })

  it('refuses production and names the store to use', async () => {
    const error = await rejectionOf(memoryStore().open?.({ production: true }))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.message).to.contain('redisStore(redis) or knexStore(db)')
  })
})
