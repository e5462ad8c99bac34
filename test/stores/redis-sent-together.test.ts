import { expect } from 'chai'
import type { RedisClient, RedisPipeline } from '../../lib/redis/redis-client.js'
import { redisKeys } from '../../lib/redis/redis-keys.js'
import { sentTogether } from '../../lib/redis/sent-together.js'
import { rejectionOf } from './rejection.js'

const { tags } = redisKeys('second-step')
type Told = [error: Error | null, answer: unknown]

/** A client that notes what it sends, with `answer` for each command that goes with others. */
function client(answer: (key: string) => Told, more: Partial<RedisClient> = {}) {
  const sent: string[] = []
  const pipeline = (): RedisPipeline => {
    const keys: string[] = []
    return {
      callBuffer: (_command, key) => keys.push(String(key)),
      mgetBuffer: ([key = '']) => keys.push(key),
      async exec() {
        sent.push(`${keys.length} together`)
        return keys.map(answer)
      },
    }
  }
  const alone = async (key: string) => {
    sent.push(`alone ${key}`)
    return [Buffer.from(key)]
  }
  const redis = {
    pipeline,
    mgetBuffer: ([key = '']: string[]) => alone(key),
    callBuffer: (_command: string, key: string) => alone(key),
    ...more,
  } as unknown as RedisClient
  return { redis, sent }
}

const found = (key: string): Told => [null, [Buffer.from(key)]]

async function askAll(redis: RedisClient) {
  const answers = await sentTogether(
    redis,
    tags,
    (tag) => tag,
    (reads, { marker }) => reads.mgetBuffer([marker]),
  )
  return answers.map(([first]) => String(first))
}

const MARKERS = tags.map(({ marker }) => marker)

describe('sentTogether', () => {
  it('asks many tags in few writes, and answers in their order', async () => {
    const { redis, sent } = client(found)
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent).to.deep.equal(['16 together', '16 together', '16 together', '16 together'])
  })

  it('asks each master of a cluster what it has', async () => {
    const slots = Array.from({ length: 16_384 }, (_, slot) => [slot < 8192 ? 'one' : 'two', 'copy'])
    const halves: string[] = []
    const { redis, sent } = client(
      (key) => {
        halves.push(key)
        return found(key)
      },
      { slots },
    )
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent).to.have.length(4)
    expect(halves).to.deep.equal(MARKERS)
  })

  it('asks each on its own of a client without pipelines', async () => {
    const { pipeline: _, ...redis } = client(found).redis
    expect(await askAll(redis as RedisClient)).to.deep.equal(MARKERS)
  })

  it('asks each on its own where pipelines do not have the commands', async () => {
    const other = { pipeline: () => ({ exec: async () => [] }) } as unknown as Partial<RedisClient>
    const { redis, sent } = client(found, other)
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent).to.have.length(64)
  })

  it('asks again on its own what a master no longer has', async () => {
    const [moved = ''] = MARKERS
    const { redis, sent } = client((key) =>
      key === moved ? [new Error('MOVED 1 127.0.0.1:1'), undefined] : found(key),
    )
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent.filter((one) => one.startsWith('alone'))).to.deep.equal([`alone ${moved}`])
  })

  it('asks each on its own where the whole of it is refused', async () => {
    const refusing = (): RedisPipeline => ({
      callBuffer: () => undefined,
      mgetBuffer: () => undefined,
      exec: () => Promise.reject(new Error('All keys in the pipeline should belong to …')),
    })
    const { redis, sent } = client(found, { pipeline: refusing })
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent).to.have.length(64)
  })

  it('rejects with any other error, and hears all of them', async () => {
    const { redis } = client(() => [new Error('ERR the list is lost'), undefined])
    expect((await rejectionOf(askAll(redis))).message).to.equal('ERR the list is lost')
  })

  it('does not take silence for an answer', async () => {
    const silent = (): RedisPipeline => ({
      callBuffer: () => undefined,
      mgetBuffer: () => undefined,
      exec: async () => [],
    })
    const { redis, sent } = client(found, { pipeline: silent })
    expect(await askAll(redis)).to.deep.equal(MARKERS)
    expect(sent).to.have.length(64)
  })
})
