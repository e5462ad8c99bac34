import { expect } from 'chai'
import { durableWrites } from '../../lib/redis/durable-writes.js'
import { type RedisClient, type RedisPipeline, redisScript } from '../../lib/redis/redis-client.js'
import { rejectionOf } from './rejection.js'

type Told = [error: Error | null, answer: unknown]

const DURABILITY = { replicas: 1, within: 50 }

/** A pipeline as it was sent, which answers when the test says so. */
interface Sent {
  readonly commands: readonly string[]
  readonly answer: (answers: readonly Told[] | null) => void
  readonly refuse: (error: Error) => void
}

/** A client that notes each pipeline, and the keys that are read on their own. */
function client(more: Partial<RedisClient> = {}, timeout?: () => number) {
  const sent: Sent[] = []
  const read: string[] = []
  let told: (() => void) | undefined
  const pipeline = (): RedisPipeline => {
    const commands: string[] = []
    return {
      callBuffer: (command, ...args) => commands.push([command, ...args].join(' ')),
      mgetBuffer: () => undefined,
      exec: () =>
        new Promise((resolve, reject) => {
          sent.push({
            commands,
            answer: (answers) => resolve(answers && [...answers]),
            refuse: reject,
          })
          told?.()
        }),
    }
  }
  const mget = async ([key = '']: string[]) => {
    read.push(key)
    return [null]
  }
  /** The n-th pipeline, as soon as it was sent. */
  async function nth(number: number): Promise<Sent> {
    for (;;) {
      const one = sent[number]
      if (one !== undefined) return one
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
  }
  const redis = { status: 'ready', pipeline, mget, ...more } as unknown as RedisClient
  return { sent, read, nth, pipeline, ...durableWrites(redis, DURABILITY, timeout) }
}

const WAIT = 'wait 1 50'
const HAS_IT: Told = [null, 1]
const HAS_IT_NOT: Told = [null, 0]
const done = (answer: unknown): Told => [null, answer]
const failed = (message: string): Told => [new Error(message), undefined]

describe('durableWrites', () => {
  it('sends a script and its WAIT together, and answers once a replica has the write', async () => {
    const { evalsha, nth } = client()
    const answer = evalsha('sha', 1, 'key')
    const { commands, answer: tell } = await nth(0)
    expect(commands).to.deep.equal(['evalsha sha 1 key', WAIT])
    tell([done('yes'), HAS_IT])
    expect(await answer).to.equal('yes')
  })

  // A used code that only the master knows is good again when it dies.
  for (const [what, waited, why] of [
    ['too few replicas', HAS_IT_NOT, '0 of 1 replicas'],
    ['a WAIT that failed', failed('Command aborted'), 'Command aborted'],
    ['nonsense', done('many'), 'of 1 replicas'],
    ['silence', undefined, 'did not answer'],
  ] as const) {
    it(`rejects a write after ${what}`, async () => {
      const { evalsha, nth } = client()
      const refused = rejectionOf(evalsha('sha', 1, 'key'))
      const { answer } = await nth(0)
      answer([done(1), ...(waited === undefined ? [] : [waited])])
      expect((await refused).message).to.contain(why)
    })
  }

  it('shares a WAIT between the writes of one moment, and those that come while it runs', async () => {
    const { evalsha, sent, nth } = client()
    const first = [evalsha('a', 1, 'key'), evalsha('b', 1, 'other')]
    const { commands, answer } = await nth(0)
    expect(commands).to.deep.equal(['evalsha a 1 key', 'evalsha b 1 other', WAIT])
    const next = [evalsha('c', 1, 'key'), evalsha('d', 1, 'key')]
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent).to.have.length(1)
    answer([done('a'), done('b'), HAS_IT])
    expect(await Promise.all(first)).to.deep.equal(['a', 'b'])
    const second = await nth(1)
    expect(second.commands).to.deep.equal(['evalsha c 1 key', 'evalsha d 1 key', WAIT])
    second.answer([done('c'), done('d'), HAS_IT])
    expect(await Promise.all(next)).to.deep.equal(['c', 'd'])
  })

  it('fails only the write whose script failed, and goes on after a failure of all', async () => {
    const { evalsha, nth } = client()
    const [bad, good] = [rejectionOf(evalsha('a', 1, 'key')), evalsha('b', 1, 'key')]
    const first = await nth(0)
    const last = rejectionOf(evalsha('c', 1, 'key'))
    first.answer([failed('ERR lost'), done('b'), HAS_IT])
    expect((await bad).message).to.equal('ERR lost')
    expect(await good).to.equal('b')
    const second = await nth(1)
    const after = evalsha('d', 1, 'key')
    second.refuse(new Error('gone'))
    expect((await last).message).to.equal('gone')
    const third = await nth(2)
    third.answer([done('d'), HAS_IT])
    expect(await after).to.equal('d')
  })

  it('sends a script whole, with a WAIT, to a server that does not know it', async () => {
    const { nth, ...writer } = client()
    const answer = redisScript('return 1')(writer, ['key'], [])
    const first = await nth(0)
    first.answer([failed('NOSCRIPT No matching script'), HAS_IT])
    const second = await nth(1)
    expect(second.commands).to.deep.equal(['eval return 1 1 key', WAIT])
    second.answer([done('yes'), HAS_IT])
    expect(await answer).to.equal('yes')
  })

  describe('in a cluster', () => {
    const slots = Array.from({ length: 16_384 }, (_, slot) => [slot < 8192 ? 'one' : 'two', 'copy'])
    // The slot of `bar` is 5,061, that of `foo` is 12,182.
    const [ofOne, ofTwo] = ['bar', '{foo}:key'] as const

    it('asks each master for its own writes, and neither waits for the other', async () => {
      const { evalsha, nth } = client({ slots })
      const first = [evalsha('a', 1, ofTwo), evalsha('b', 1, ofTwo)]
      const other = evalsha('c', 1, ofOne)
      const [one, two] = [await nth(0), await nth(1)]
      expect(one.commands).to.have.length(3)
      two.answer([done('c'), HAS_IT])
      expect(await other).to.equal('c')
      one.answer([done('a'), done('b'), HAS_IT])
      expect(await Promise.all(first)).to.deep.equal(['a', 'b'])
    })

    // A pipeline with a WAIT is not redirected by the client: its WAIT was answered, by the old master.
    it('finds the new master of a slot by a read, and sends script and WAIT to it', async () => {
      const { evalsha, read, nth } = client({ slots })
      const answer = evalsha('sha', 1, ofTwo)
      const first = await nth(0)
      first.answer([failed('MOVED 12182 127.0.0.1:7001'), HAS_IT])
      const second = await nth(1)
      expect(read).to.deep.equal([ofTwo])
      expect(second.commands).to.deep.equal([`evalsha sha 1 ${ofTwo}`, WAIT])
      second.answer([done('yes'), HAS_IT_NOT])
      expect((await rejectionOf(answer)).message).to.contain('0 of 1 replicas')
    })

    // Otherwise each slot that moves refuses whoever has come in the same moment.
    it('sends writes one by one whose slots have moved apart since they were put together', async () => {
      const { evalsha, nth, sent } = client({ slots })
      const answers = [evalsha('a', 1, ofTwo), evalsha('b', 1, ofTwo)]
      const { refuse } = await nth(0)
      refuse(new Error('All keys in the pipeline should belong to the same slots allocation group'))
      const apart = [await nth(1), await nth(2)]
      expect(apart.map(({ commands }) => commands)).to.deep.equal([
        [`evalsha a 1 ${ofTwo}`, WAIT],
        [`evalsha b 1 ${ofTwo}`, WAIT],
      ])
      for (const { answer } of apart) answer([done('yes'), HAS_IT])
      expect(await Promise.all(answers)).to.deep.equal(['yes', 'yes'])
      expect(sent).to.have.length(3)
    })

    it('looks for a master once', async () => {
      const { evalsha, sent, nth } = client({ slots })
      const refused = rejectionOf(evalsha('sha', 1, ofTwo))
      for (const number of [0, 1]) {
        const { answer } = await nth(number)
        answer([failed('CLUSTERDOWN The cluster is down'), HAS_IT])
      }
      expect((await refused).message).to.contain('CLUSTERDOWN')
      expect(sent).to.have.length(2)
    })
  })

  // Somebody makes Redis stand still, and has what was refused take place once it goes on: a code is used up, a reset
  // begins.
  describe('while Redis is silent', () => {
    const { now } = performance
    const aMinutePasses = () => {
      performance.now = () => now.call(performance) + 60_000
    }
    afterEach(() => {
      performance.now = now
    })

    /** A client whose reads are answered as the test says. */
    function listening(more: Partial<RedisClient> = {}, timeout?: () => number) {
      const asked: string[] = []
      let tell: (() => void) | undefined
      let settle = (_: Error | null) => {}
      const mget = ([key = '']: string[]) =>
        new Promise<(string | null)[]>((resolve, reject) => {
          settle = (error) => (error === null ? resolve([null]) : reject(error))
          asked.push(key)
          tell?.()
        })
      const read = async () => {
        if (asked.length === 0) {
          await new Promise<void>((resolve) => {
            tell = resolve
          })
        }
        return { key: asked.shift(), answer: (error: Error | null) => settle(error) }
      }
      return { ...client({ mget, ...more }, timeout), read }
    }

    it('never sends a write whose caller was refused', async () => {
      const { evalsha, sent, nth } = client()
      const first = evalsha('a', 1, 'key')
      const { answer } = await nth(0)
      const refused = rejectionOf(evalsha('b', 1, 'key'))
      aMinutePasses()
      answer([done('a'), HAS_IT])
      expect(await first).to.equal('a')
      expect((await refused).message).to.contain('not sent')
      expect(sent).to.have.length(1)
    })

    it('counts the time of one whole call, though its script is sent twice', async () => {
      const { sent, nth, ...writer } = client()
      const refused = rejectionOf(redisScript('return 1')(writer, ['key'], []))
      const { answer } = await nth(0)
      aMinutePasses()
      answer([failed('NOSCRIPT No matching script'), HAS_IT])
      expect((await refused).message).to.contain('not sent')
      expect(sent).to.have.length(1)
    })

    it('does not send what takes too long to find its master', async () => {
      const { evalsha, sent, nth, read } = listening()
      const refused = rejectionOf(evalsha('a', 1, 'key'))
      const { answer } = await nth(0)
      answer([failed('MOVED 12182 127.0.0.1:7001'), HAS_IT])
      const { answer: found } = await read()
      aMinutePasses()
      found(null)
      expect((await refused).message).to.contain('not sent')
      expect(sent).to.have.length(1)
    })

    it('tells a client that waits for a connection how long the first of them has', async () => {
      let until = 0
      const { pipeline, nth } = client()
      const sendUntil = (moment: number) => {
        until = moment
      }
      const { evalsha } = client({ pipeline: () => ({ ...pipeline(), sendUntil }) }, () => 60_000)
      const before = performance.now()
      const answers = [evalsha('a', 1, 'key'), evalsha('b', 1, 'key')]
      const after = performance.now()
      const { answer } = await nth(0)
      answer([done('a'), done('b'), HAS_IT])
      await Promise.all(answers)
      expect(until).to.be.within(before + 60_000, after + 60_000)
    })

    // What is sent to a Redis that stands still takes place later, after a 503.
    it('sends nothing behind a group without an answer until a read is answered', async () => {
      let timeout = 1
      const { evalsha, sent, nth, read } = listening({}, () => timeout)
      void evalsha('a', 1, 'key')
      await nth(0)
      timeout = 60_000
      const second = evalsha('b', 1, 'other')
      const { key, answer } = await read()
      expect([key, sent.length]).to.deep.equal(['other', 1])
      answer(null)
      const { commands, answer: tell } = await nth(1)
      expect(commands).to.deep.equal(['evalsha b 1 other', WAIT])
      tell([done('b'), HAS_IT])
      expect(await second).to.equal('b')
    })

    for (const [what, tell] of [
      ['was given up', ({ refuse }: Sent) => refuse(new Error('Command timed out'))],
      [
        'was given up one by one',
        ({ answer }: Sent) =>
          answer([failed('Command timed out'), failed('Connection is closed.')]),
      ],
      ['came back empty', ({ answer }: Sent) => answer(null)],
    ] as const) {
      it(`refuses what waits after a group that ${what}, if a read fails too`, async () => {
        const { evalsha, sent, nth, read } = listening()
        const first = rejectionOf(evalsha('a', 1, 'key'))
        tell(await nth(0))
        await first
        const refused = rejectionOf(evalsha('b', 1, 'key'))
        const { answer } = await read()
        answer(new Error('still away'))
        expect((await refused).message).to.equal('still away')
        expect(sent).to.have.length(1)
      })
    }

    it('takes the refusal of a read for an answer', async () => {
      const { evalsha, nth, read } = listening()
      const first = rejectionOf(evalsha('a', 1, 'key'))
      const { refuse } = await nth(0)
      refuse(new Error('Command timed out'))
      await first
      const second = evalsha('b', 1, 'key')
      const { answer } = await read()
      answer(new Error('NOPERM no permissions'))
      const { answer: tell } = await nth(1)
      tell([done('b'), HAS_IT])
      expect(await second).to.equal('b')
    })

    // The queue of a client without a connection is sent once it has one.
    it('asks a client that is not ready by a read', async () => {
      const { evalsha, sent, read } = listening({ status: 'reconnecting' })
      const refused = rejectionOf(evalsha('a', 1, 'key'))
      const { answer } = await read()
      aMinutePasses()
      answer(null)
      expect((await refused).message).to.contain('not sent')
      expect(sent).to.have.length(0)
    })

    it('lets no more than 10,000 writes wait', async () => {
      const { evalsha, nth } = client()
      const first = evalsha('a', 1, 'key')
      const { answer } = await nth(0)
      const waiting = Array.from({ length: 10_000 }, () => evalsha('b', 1, 'key'))
      expect((await rejectionOf(evalsha('c', 1, 'key'))).message).to.contain('too many')
      answer([done('a'), HAS_IT])
      await first
      const { commands, answer: tell } = await nth(1)
      expect(commands).to.have.length(10_001)
      tell([...waiting.map(() => done('b')), HAS_IT])
      await Promise.all(waiting)
    })
  })
})
