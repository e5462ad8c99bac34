import type { Account } from '../../service/accounts.js'

/**
 * The account as its user knows it: the address, or else the name. Null if the host gives neither.
 */
export function accountName({ email, name }: Account): string | null {
  return email ?? name
}

/**
 * The same for a visitor who has given no code yet: only enough of the address to tell accounts
 * apart, because "Lost your code?" asks for the whole address.
 */
export function accountHint({ email, name }: Account): string | null {
  if (email === null) return name
  const at = email.lastIndexOf('@')
  return at < 1 ? name : `${Array.from(email)[0] ?? ''}•••${email.slice(at)}`
}
