import type { Account } from '../../service/accounts.js'

/** The account as its user knows it: by the address, else by the name; null where the host tells neither. */
export function accountName({ email, name }: Account): string | null {
  return email ?? name
}

/**
 * The same for who has given no code yet: enough of the address to tell accounts apart. The whole of
 * it is what "Lost your code?" asks for.
 */
export function accountHint({ email, name }: Account): string | null {
  if (email === null) return name
  const at = email.lastIndexOf('@')
  return at < 1 ? name : `${Array.from(email)[0] ?? ''}•••${email.slice(at)}`
}
