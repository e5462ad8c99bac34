import { expect } from 'chai'
import { redisScript } from '../../lib/redis/redis-client.js'
import { rejectionOf } from '../stores/rejection.js'

const SCRIPT = redisScript('return 1')

/** A client whose server answers this to the hash of a script. */
function refusing(message: string) {
  return {
    evalsha: async () => Promise.reject(new Error(message)),
    eval: async (lua: string) => lua,
  }
}

describe('a script that a server does not know', () => {
  it('is sent whole', async () => {
    const client = refusing('NOSCRIPT No matching script. Please use EVAL.')
    expect(await SCRIPT(client, ['key'], [])).to.equal('return 1')
  })

  // ioredis says so where it has asked three masters before, as after a failover.
  it('is sent whole where the client was sent elsewhere before', async () => {
    const client = refusing(
      'Too many Cluster redirections. Last error: ReplyError: NOSCRIPT No matching script. Please use EVAL.',
    )
    expect(await SCRIPT(client, ['key'], [])).to.equal('return 1')
  })

  it('but not after another refusal', async () => {
    for (const refusal of ['Connection is closed.', 'ERR NOSCRIPTS', 'BUSY']) {
      const error = await rejectionOf(SCRIPT(refusing(refusal), ['key'], []))
      expect(error).to.have.property('message', refusal)
    }
  })
})
