// The attack: an admin has made the second step required, and this process goes by the policy from before, in
// memory. And the mistake: what one request does to the policy shows in another.

import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { redisOfASuite } from '../support/redis-of-a-suite.js'
import { rejectionOf } from './rejection.js'

const { tag } = redisKeys('second-step').place('user')

describe('a policy that was read before', () => {
  const { redis } = redisOfASuite()
  const eased: Policy = { ...defaultPolicy, version: 1, writeId: 'one', mode: 'optional' }
  const strict: Policy = { ...eased, version: 2, writeId: 'two', mode: 'required' }

  async function readOnce() {
    const store = redisStore(redis)
    await store.open?.({ production: false })
    await store.writePolicy(eased, 0)
    const read = async (hint?: { atLogin: boolean }) => (await store.read?.('user', hint))?.policy
    expect(await read()).to.deep.equal(eased)
    return read
  }

  it('is not parsed again while its bytes are the same', async () => {
    const read = await readOnce()
    expect(await read()).to.equal(await read())
    expect(await read({ atLogin: true })).to.equal(await read())
  })

  it('is seen as another process has changed it', async () => {
    const read = await readOnce()
    expect(await redisStore(redis).writePolicy(strict, 1)).to.equal(true)
    expect(await read()).to.deep.equal(strict)
    expect(await read({ atLogin: true })).to.deep.equal(strict)
  })

  it('is seen as changed where it is as long as before', async () => {
    const read = await readOnce()
    const other = { ...eased, codeAttempts: eased.codeAttempts - 1 }
    await redis.set(tag.policy, JSON.stringify(other))
    expect(await read()).to.deep.equal(other)
  })

  it('is refused once it is damaged, or gone', async () => {
    const read = await readOnce()
    await redis.set(tag.policy, JSON.stringify(eased).slice(1))
    expect(await rejectionOf(read())).to.be.instanceOf(Error)
    await redis.del(tag.policy)
    expect(await rejectionOf(read())).to.be.instanceOf(Error)
    expect(await rejectionOf(read({ atLogin: true }))).to.be.instanceOf(Error)
  })

  it('cannot be changed by who reads it', async () => {
    const read = await readOnce()
    const policy = await read()
    expect(() => Object.assign(policy ?? {}, { mode: 'off' })).to.throw(TypeError)
    expect(() => Object.assign(policy?.roles ?? {}, { admin: 'off' })).to.throw(TypeError)
  })
})
