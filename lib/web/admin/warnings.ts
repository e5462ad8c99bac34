import type { Policy } from '../../domain/policy.js'
import type { Lost } from '../../service/lost.js'
import type { Site } from '../request/site.js'

// Mistakes of the host that show only when an admin comes. Each is told once.

/** An admin area whose admins carry a flag of the host's instead of a role. */
export function warnNoRoles(site: Site): void {
  if (!isFirst(site, 'no roles')) return
  process.emitWarning(
    'passport-second-step: adminRouter() refused a user without roles: have `describe` tell `roles` and name those of ' +
      'admins in `adminRoles`, or give `isAdmin: (user) => user.isAdmin`',
  )
}

const looked = new WeakMap<Site, Set<string>>()

/**
 * `allow` is called for each request, so no other code knows that this user needs an admin's
 * protection. Nobody waits for the look, which may fail, and each user is looked at once.
 */
export function warnOfMailReset(site: Site, userId: string): void {
  const users = looked.get(site) ?? new Set()
  looked.set(site, users)
  if (site.lost === null || users.has(userId) || wasWarned(site, 'mail reset')) return
  users.add(userId)
  lookForMailReset(site, site.lost, userId).catch((error: unknown) => {
    users.delete(userId)
    site.failureReporter.report(error)
  })
}

async function lookForMailReset(site: Site, lost: Lost, userId: string): Promise<void> {
  const mayReset = await lost.mayReset(userId)
  if (!mayReset || !isFirst(site, 'mail reset')) return
  process.emitWarning(
    'passport-second-step: adminRouter({ allow }) let in a user who is an admin by neither `adminRoles` nor `isAdmin`, ' +
      'so a mail can reset their second step: their mailbox and password open the admin pages. Give ' +
      '`isAdmin: (user) => …`, which is true for them too, or keep them out in `lost.allow`',
  )
}

/** By `isAdmin` one is an admin without any role, and `describe` that tells none takes them out of every rule of roles. */
export function warnOfUnbound(site: Site, { roles, accepts }: Policy): void {
  const ruled = [...new Set([...Object.keys(accepts), ...Object.keys(roles)])]
  if (ruled.length === 0 || !isFirst(site, 'unbound')) return
  process.emitWarning(
    `passport-second-step: the policy has rules for roles (${ruled.join(', ')}), and none binds an admin for whom ` +
      "`describe` tells no `roles`: have it tell some, such as roles: user.isAdmin ? ['admin'] : []",
  )
}

type Mistake = 'no roles' | 'mail reset' | 'unbound'

const warned = new WeakMap<Site, Set<Mistake>>()

function wasWarned(site: Site, mistake: Mistake): boolean {
  return warned.get(site)?.has(mistake) ?? false
}

function isFirst(site: Site, mistake: Mistake): boolean {
  if (wasWarned(site, mistake)) return false
  warned.set(site, new Set([...(warned.get(site) ?? []), mistake]))
  return true
}
