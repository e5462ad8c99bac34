import type { Account } from '../../lib/service/accounts.js'

/** A user of a host that tells no more than this. */
export function accountOf(told: { readonly id: string } & Partial<Account>): Account {
  const nothing = { email: null, name: null, username: null, locale: null }
  const subject = { roles: [], createdAt: null, privileged: false }
  return { user: told, ...nothing, subject, tellsRoles: true, ...told }
}
