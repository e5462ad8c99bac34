import type { RedisCommands } from './redis.js'
import {
  type Account,
  isCursor,
  isFound,
  orUnavailable,
  type User,
  type UserStore,
} from './users.js'

// The braces keep them together in a cluster, where one command reads keys of one server.
const keyOfUser = (id: string) => `{example-app}:user:${id}`
const keyOfEmail = (email: string) => `{example-app}:email:${email}`
/** Every address, sorted: for lists, so that nothing has to look through all keys. */
const ADDRESSES = '{example-app}:addresses'

/** How many users are looked at for one page of a search; such pages may be short. */
const LOOKED_AT = 500

export function redisUsers(redis: RedisCommands): UserStore {
  async function findById(id: string): Promise<Account | null> {
    const stored = await orUnavailable(redis.get(keyOfUser(id)))
    return stored === null ? null : JSON.parse(stored)
  }

  /** The users of these addresses; those of an address that was just being registered are left out. */
  async function usersOf(emails: readonly string[]): Promise<readonly User[]> {
    if (emails.length === 0) return []
    const ids = await orUnavailable(redis.getMany(emails.map(keyOfEmail)))
    const keys = ids.flatMap((id) => (id === null ? [] : [keyOfUser(id)]))
    const stored = keys.length === 0 ? [] : await orUnavailable(redis.getMany(keys))
    return stored.flatMap((text) => (text === null ? [] : [(JSON.parse(text) as Account).user]))
  }

  return {
    findById,
    async findByEmail(email) {
      const id = await orUnavailable(redis.get(keyOfEmail(email)))
      return id === null ? null : findById(id)
    },
    async add(account) {
      const { id, email } = account.user
      // The account first: nobody can find one that lost the race for its address.
      await orUnavailable(redis.set(keyOfUser(id), JSON.stringify(account)))
      await orUnavailable(redis.addSorted(ADDRESSES, email))
      await orUnavailable(redis.setNew(keyOfEmail(email), id))
      const owner = await orUnavailable(redis.get(keyOfEmail(email)))
      if (owner !== id) await orUnavailable(redis.delete(keyOfUser(id)))
      return owner === id
    },
    async list({ search, cursor, limit }) {
      if (!isCursor(cursor)) return null
      const count = search === '' ? limit : LOOKED_AT
      const emails = await orUnavailable(redis.sortedAfter(ADDRESSES, cursor, count + 1))
      const looked = emails.slice(0, count)
      const found = (await usersOf(looked)).filter((user) => isFound(user, search))
      const page = found.slice(0, limit)
      const last = found.length > limit ? page.at(-1)?.email : looked.at(-1)
      const more = found.length > limit || emails.length > count
      return { users: page, next: more ? (last ?? null) : null }
    },
  }
}
