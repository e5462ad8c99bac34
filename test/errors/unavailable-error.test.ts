// Somebody reads a log that a host writes whole errors to. What a client hangs on its errors, such as the
// command that signs in to Redis or the values of a statement, must not be in those that the package throws.

import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import { redisStore } from '../../lib/index.js'
import { DEFAULT_TIMEOUT, withTimeout } from '../../lib/ports/with-timeout.js'

const inspected = (error: unknown) => inspect(error, { depth: null, showHidden: true })
const carrying = (carried: object) => Object.assign(new Error('READONLY'), carried)

describe('an error of a part that does not answer', () => {
  it('has no password of Redis in it, where Redis refuses the password', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => socket.write('-WRONGPASS invalid username-password pair\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const redis = new Redis({ port, username: 'app', password: 'hunter2', retryStrategy: null })
    redis.on('error', () => undefined)
    try {
      const store = redisStore(redis)
      const find = () => store.find('ann')
      const failed: unknown = await withTimeout('the record store', find, DEFAULT_TIMEOUT).catch(
        (error: unknown) => error,
      )
      expect(failed).to.be.instanceOf(UnavailableError)
      expect(inspected(failed)).to.contain('WRONGPASS').and.not.contain('hunter2')
    } finally {
      redis.disconnect()
      server.close()
    }
  })

  for (const [what, carried] of Object.entries({
    'a command of Redis': { command: { name: 'auth', args: ['app', 'hunter2'] } },
    "a node's error of a cluster": { lastNodeError: carrying({ command: { args: ['hunter2'] } }) },
    'the statement of a database': { sql: "insert 'hunter2'", parameters: ['hunter2'] },
    'an answer of an HTTP client': {
      config: { headers: { authorization: 'Bearer hunter2' } },
      response: { data: 'hunter2' },
    },
    'an address that is none': { input: 'redis://:hun/ter2hunter2@db' },
  })) {
    it(`has nothing of ${what} in it, in no cause`, () => {
      const error = Object.assign(carrying(carried), { code: 'EREADONLY', name: 'ReplyError' })
      for (const cause of [
        error,
        new Error('the pool', { cause: error }),
        new AggregateError([error], 'all'),
      ]) {
        const text = inspected(new UnavailableError('the record store', cause))
        expect(text).to.contain('READONLY').and.not.contain('hunter2')
      }
      const { cause } = new UnavailableError('the record store', error)
      expect(cause).to.include({ name: 'ReplyError', code: 'EREADONLY', message: 'READONLY' })
    })
  }

  it('keeps any other cause as it is', () => {
    const plain = Object.assign(new Error('ECONNREFUSED'), { code: 'ECONNREFUSED' })
    for (const cause of [plain, new ConfigurationError('no marker'), 'a word', null, undefined]) {
      expect(new UnavailableError('the record store', cause).cause).to.equal(cause)
    }
  })
})
