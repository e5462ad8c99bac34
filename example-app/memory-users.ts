import { type Account, isCursor, isFound, pageOf, type User, type UserStore } from './users.js'

export function memoryUsers(): UserStore {
  const byId = new Map<string, Account>()
  const byEmail = new Map<string, Account>()
  let inOrder: readonly User[] | null = null
  const sorted = () => {
    inOrder ??= [...byId.values()]
      .map(({ user }) => user)
      .sort((one, other) => (one.email < other.email ? -1 : 1))
    return inOrder
  }
  return {
    findById: async (id) => byId.get(id) ?? null,
    findByEmail: async (email) => byEmail.get(email) ?? null,
    async add(account) {
      const { id, email } = account.user
      if (byEmail.has(email)) return false
      byEmail.set(email, account)
      byId.set(id, account)
      inOrder = null
      return true
    },
    async list({ search, cursor, limit }) {
      if (!isCursor(cursor)) return null
      const found = sorted().filter((user) => isFound(user, search) && user.email > (cursor ?? ''))
      return pageOf(found, limit)
    },
  }
}
