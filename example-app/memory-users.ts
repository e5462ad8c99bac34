import { type Account, isCursor, isFound, pageOf, type User, type UserStore } from './users.js'

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
    async list({ search, cursor, limit }) {
      if (!isCursor(cursor)) return null
      const found = accounts
        .map(({ user }) => user)
        .filter((user) => isFound(user, search) && user.email > (cursor ?? ''))
        .sort((one, other) => (one.email < other.email ? -1 : 1))
      return pageOf(found, limit)
    },
  }
}
