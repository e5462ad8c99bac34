import { isNear } from '../errors/check-names.js'
import { check } from './check.js'
import type { SecondStepOptions } from './options.js'

/** The default of `adminRoles`. */
export const ADMIN_ROLES: readonly string[] = ['admin']

/**
 * A misspelt role would silently leave admins unprotected: a mail could reset their second step. Where
 * the default is that role, an app without admins is possible, so it is only warned of.
 *
 * @throws ConfigurationError where none of `adminRoles` is among `roles`
 */
export function checkAdminRoles<U>({ roles, adminRoles, isAdmin }: SecondStepOptions<U>): void {
  if (roles === undefined) return
  check(
    adminRoles === undefined || adminRoles.some((role) => roles.includes(role)),
    `none of \`adminRoles\` (${adminRoles}) is among \`roles\` (${roles})`,
  )
  if (adminRoles !== undefined) warnOfMisspelt(roles, adminRoles)
  const known = adminRoles ?? ADMIN_ROLES
  if (isAdmin !== undefined || known.some((role) => roles.includes(role))) return
  process.emitWarning(
    `passport-second-step: nobody is an admin: \`roles\` (${roles}) have no "${ADMIN_ROLES}", and neither \`adminRoles\` nor ` +
      '`isAdmin` is given. If one of these roles is that of admins, give `adminRoles: [...]`: until then a mail can reset ' +
      'their second step, and adminRouter() refuses them',
  )
}

/**
 * A role of admins may be one that the policy has no rules for. Only one that is spelt nearly as one of `roles`, which is
 * no role of admins itself, is probably wrong.
 */
function warnOfMisspelt(roles: readonly string[], adminRoles: readonly string[]): void {
  for (const role of adminRoles.filter((one) => !roles.includes(one))) {
    const meant = roles.find(
      (one) => !adminRoles.includes(one) && one[0] === role[0] && isNear(one, role),
    )
    if (meant === undefined) continue
    process.emitWarning(
      `passport-second-step: \`adminRoles\` has ${role}, which is not among \`roles\` (${roles}): did you mean ${meant}? ` +
        `Until then a mail can reset the second step of users with ${meant}, and adminRouter() refuses them`,
    )
  }
}
