import type { Site } from './site.js'

/** The account as its user knows it: by the address, else by the name; null where the host tells neither. */
export function accountName(site: Pick<Site, 'describe'>, user: Express.User): string | null {
  const { email, name } = site.describe(user)
  return email ?? name
}
