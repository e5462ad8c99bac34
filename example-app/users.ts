import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { errors } from 'passport-second-step'
import { hashPassword, isPassword } from './passwords.js'

/** Somebody with an account; what `req.user` is. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: readonly string[]
}

/** A user, and what tells that it is he. */
export interface Account {
  readonly user: User
  readonly passwordHash: string
}

/** Where the accounts are kept. Addresses come canonical. */
export interface UserStore {
  findById(id: string): Promise<Account | null>
  findByEmail(email: string): Promise<Account | null>
  /** @returns false where somebody has this address already; decided atomically */
  add(account: Account): Promise<boolean>
}

/** One account, however its address is written. */
export function canonicalEmail(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase()
}

/** @returns the new user, or null where the address is taken */
export async function register(
  users: UserStore,
  { email, name, password }: { email: string; name: string; password: string },
): Promise<User | null> {
  const user = { id: randomUUID(), email: canonicalEmail(email), name, roles: ['user'] }
  const added = await users.add({ user, passwordHash: await hashPassword(password) })
  return added ? user : null
}

/** @returns the user whose e-mail address and password these are, or null */
export async function userWithPassword(
  users: UserStore,
  email: string,
  password: string,
): Promise<User | null> {
  const account = await users.findByEmail(canonicalEmail(email))
  const right = await isPassword(password, account?.passwordHash ?? null)
  return right && account !== null ? account.user : null
}

const DEMO_ACCOUNTS = [
  { id: 'demo-user', email: 'user@example.test', name: 'Una User', roles: ['user'] },
  { id: 'demo-admin', email: 'admin@example.test', name: 'Adam Admin', roles: ['admin'] },
] as const

/** The accounts to try the app with; each password is the role and `-password`. */
export async function createDemoAccounts(users: UserStore): Promise<readonly string[]> {
  return Promise.all(
    DEMO_ACCOUNTS.map(async (user) => {
      const password = `${user.roles[0]}-password`
      if ((await users.findByEmail(user.email)) === null) {
        await users.add({ user, passwordHash: await hashPassword(password) })
      }
      return `${user.email} / ${password}`
    }),
  )
}

export function memoryUsers(): UserStore {
  const accounts: Account[] = []
  const find = (is: (user: User) => boolean) => accounts.find(({ user }) => is(user)) ?? null
  return {
    findById: async (id) => find((user) => user.id === id),
    findByEmail: async (email) => find((user) => user.email === email),
    async add(account) {
      if (find((user) => user.email === account.user.email) !== null) return false
      accounts.push(account)
      return true
    },
  }
}

export function redisUsers(redis: Redis): UserStore {
  const keyOfUser = (id: string) => `example-app:user:${id}`
  const keyOfEmail = (email: string) => `example-app:email:${email}`

  async function findById(id: string): Promise<Account | null> {
    const stored = await orUnavailable(redis.get(keyOfUser(id)))
    return stored === null ? null : JSON.parse(stored)
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
      await orUnavailable(redis.set(keyOfEmail(email), id, 'NX'))
      const owner = await orUnavailable(redis.get(keyOfEmail(email)))
      if (owner !== id) await orUnavailable(redis.del(keyOfUser(id)))
      return owner === id
    },
  }
}

/** What `secondStep.errorHandler()` answers with 503. */
export async function orUnavailable<T>(call: PromiseLike<T>): Promise<T> {
  try {
    return await call
  } catch (cause) {
    throw new errors.UnavailableError('the user store', cause)
  }
}
