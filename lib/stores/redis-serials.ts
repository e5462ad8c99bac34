import type { TokenClaim } from '../domain/serial-claim.js'
import { type RedisClient, redisScript, type ScriptClient } from '../redis/redis-client.js'
import type { RedisKeys } from '../redis/redis-keys.js'
import { emptied, parseDocument } from './redis-lost.js'
import { argumentsOf, COMPARE_AND_SET, HEAD_OF_JSON, hasWon } from './redis-writes.js'

// A claim that was lost is made anew: it opens nothing.
const claimSerial = redisScript(`
${HEAD_OF_JSON}
local head = headOfJson
local function lost() return false end
${COMPARE_AND_SET}
return 1
`)

// GET refuses a key of another type. Not as a command: this client may lose its name.
const readClaim = redisScript(`return redis.call('get', KEYS[1])`)

/** Keeps the claims of serial numbers: shared out to the tags as users are. */
export class RedisSerials {
  readonly #redis: RedisClient
  readonly #keys: RedisKeys
  readonly #writer: ScriptClient

  /** @param writer runs what changes something */
  constructor(redis: RedisClient, keys: RedisKeys, writer: ScriptClient = redis) {
    this.#redis = redis
    this.#keys = keys
    this.#writer = writer
  }

  /** @throws Error where the answer cannot be known */
  async find(serial: string): Promise<TokenClaim | null> {
    const { key, marker } = this.#place(serial)
    const [words, text] = await this.#redis.mget([marker, key])
    if (typeof words !== 'string') throw emptied(marker)
    // MGET takes a key of another type for a missing one.
    const stored = text ?? (await readClaim(this.#redis, [key], []))
    return typeof stored === 'string' ? (parseDocument(key, stored) as TokenClaim) : null
  }

  /** As the port's `writeSerial`. */
  async write(claim: TokenClaim, expectedVersion: number): Promise<boolean> {
    const { key, marker } = this.#place(claim.serial)
    return hasWon(
      await claimSerial(this.#writer, [key, marker], argumentsOf(claim, expectedVersion)),
    )
  }

  #place(serial: string) {
    const { tag, hash } = this.#keys.place(serial)
    return { key: tag.serials + hash, marker: tag.marker }
  }
}
