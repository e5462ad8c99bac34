import { randomUUID } from 'node:crypto'
import { errors, type UserPage, type UserQuery } from 'passport-second-step'
import type { Passwords } from './passwords.js'

/** Somebody with an account; what `req.user` is. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: readonly string[]
}

/** A user, and what tells that it is they. */
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
  /** Users in the order of their addresses, which are the cursors too; null for what is none. */
  list(query: UserQuery): Promise<UserPage<User> | null>
}

/** Whether this is where a page may have ended. */
export function isCursor(cursor: string | null): boolean {
  return cursor === null || (cursor.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(cursor))
}

/** Whether a user is found by part of their name or address. */
export function isFound({ name, email }: User, search: string): boolean {
  const wanted = search.toLowerCase()
  return name.toLowerCase().includes(wanted) || email.includes(wanted)
}

/** A page of users, of which one more than the limit was looked for: the last tells that there are more. */
export function pageOf(users: readonly User[], limit: number): UserPage<User> {
  const page = users.slice(0, limit)
  return { users: page, next: users.length > limit ? (page.at(-1)?.email ?? null) : null }
}

/** One account, however its address is written. */
export function canonicalEmail(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase()
}

/** @returns the new user, or null where the address is taken */
export async function register(
  users: UserStore,
  passwords: Passwords,
  { email, name, password }: { email: string; name: string; password: string },
): Promise<User | null> {
  const user = { id: randomUUID(), email: canonicalEmail(email), name, roles: ['user'] }
  const added = await users.add({ user, passwordHash: await passwords.hash(password) })
  return added ? user : null
}

/** @returns the user whose e-mail address and password these are, or null */
export async function userWithPassword(
  users: UserStore,
  passwords: Passwords,
  email: string,
  password: string,
): Promise<User | null> {
  const account = await users.findByEmail(canonicalEmail(email))
  const right = await passwords.matches(password, account?.passwordHash ?? null)
  return right && account !== null ? account.user : null
}

const DEMO_ACCOUNTS = [
  { id: 'demo-user', email: 'user@example.test', name: 'Una User', roles: ['user'] },
  { id: 'demo-admin', email: 'admin@example.test', name: 'Adam Admin', roles: ['admin'] },
] as const

/** The accounts to try the app with; each password is the role and `-password`. */
export async function createDemoAccounts(
  users: UserStore,
  passwords: Passwords,
): Promise<readonly string[]> {
  return Promise.all(
    DEMO_ACCOUNTS.map(async (user) => {
      const password = `${user.roles[0]}-password`
      if ((await users.findByEmail(user.email)) === null) {
        await users.add({ user, passwordHash: await passwords.hash(password) })
      }
      return `${user.email} / ${password}`
    }),
  )
}

/** What `secondStep.errorHandler()` answers with 503. */
export async function orUnavailable<T>(call: PromiseLike<T>): Promise<T> {
  try {
    return await call
  } catch (cause) {
    throw new errors.UnavailableError('the user store', cause)
  }
}
