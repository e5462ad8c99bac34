import { expect } from 'chai'
import { type RedisStoreOptions, redisStore } from '../../lib/stores/redis-store.js'
import { type Browser, enrol, giveCode } from './browser.js'
import { ann, type HostOptions, makeHost } from './host.js'
import { keptServerOf } from './kept-server.js'
import { type ConnectedClient, REDIS_CLIENTS } from './redis-clients.js'
import { type RedisPair, startRedisPair } from './redis-pair.js'
import { pendingBrowser } from './visits.js'

/** A host on a master with a replica, and two browsers of Ann's that have passed the first step. */
export interface LoginsAroundAFailover {
  readonly pair: RedisPair
  /** Gives Ann's code of this moment in a browser of its own, and returns the status and its reason. */
  login(which: 'first' | 'second'): Promise<string>
  /** Ann's next code is another one. */
  nextCode(): void
  /** As of the pair, until the host has found the new master. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** @param client the name of the host's Redis client, as `REDIS_CLIENT` has it */
export async function loginsAroundAFailover(
  options: RedisStoreOptions,
  hostOptions: HostOptions['options'] = {},
  client = 'ioredis',
): Promise<LoginsAroundAFailover> {
  const pair = await startRedisPair()
  let connected: ConnectedClient | undefined
  const end = async () => {
    connected?.end()
    await pair.stop()
  }
  try {
    connected = await (REDIS_CLIENTS[client] ?? expect.fail(client))(pair.url)
    const { redis, nextReady } = connected
    const host = makeHost({ options: { ...hostOptions, store: redisStore(redis, options) } })
    const { code } = await enrol(host, ann)
    const browsers = { first: await pendingBrowser(host), second: await pendingBrowser(host) }
    await pair.inStep()
    return {
      pair,
      login: (which) => outcomeOf(browsers[which], code()),
      nextCode: () => host.system.advance(30_000),
      async failOver() {
        const found = nextReady()
        await pair.failOver()
        await found
      },
      async stop() {
        await host.secondStep.close()
        keptServerOf(host.app).end()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

async function outcomeOf(browser: Browser, code: string): Promise<string> {
  const { status, body } = await giveCode(browser, code)
  return `${status} ${String(body.code ?? body.status)}`
}
