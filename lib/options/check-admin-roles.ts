import { isNear } from '../errors/check-names.js'
import { check } from './check.js'
import type { SecondStepOptions } from './options.js'

/** The default of `adminRoles`. */
export const ADMIN_ROLES: readonly string[] = ['admin']

/**
 * A role that is in both lists would silently make a help desk of admins. A misspelt role would silently leave admins or a
 * help desk unprotected: a mail could reset their second step. Where the default is that role, an app without admins is
 * possible, so it is only warned of.
 *
 * @throws ConfigurationError where a role is in both lists, or none of a list is among `roles`
 */
export function checkAdminRoles<U>(options: SecondStepOptions<U>): void {
  const { roles, adminRoles, helpDeskRoles = [], isAdmin } = options
  const both = helpDeskRoles.filter((role) => (adminRoles ?? ADMIN_ROLES).includes(role))
  check(
    both.length === 0,
    `\`helpDeskRoles\` and \`adminRoles\` both have ${both}: leave it in one of them. Its users would be whole admins`,
  )
  if (roles === undefined) return
  const known = adminRoles ?? ADMIN_ROLES
  const lists = {
    adminRoles,
    helpDeskRoles: helpDeskRoles.length === 0 ? undefined : helpDeskRoles,
  }
  for (const [name, given] of Object.entries(lists)) {
    if (given === undefined) continue
    check(
      given.some((role) => roles.includes(role)),
      `none of \`${name}\` (${given}) is among \`roles\` (${roles}): add it there, or name one of those`,
    )
    warnOfMisspelt(roles, { name, given, staff: [...known, ...helpDeskRoles] })
  }
  if (isAdmin !== undefined || known.some((role) => roles.includes(role))) return
  process.emitWarning(
    `passport-second-step: nobody is an admin: \`roles\` (${roles}) have no "${ADMIN_ROLES}", and neither \`adminRoles\` nor ` +
      '`isAdmin` is given. If one of these roles is that of admins, give `adminRoles: [...]`: until then a mail can reset ' +
      'their second step, and adminRouter() refuses them',
  )
}

/**
 * A role of admins or of a help desk may be one that the policy has no rules for. Only one that is spelt nearly as one of
 * `roles`, which is in neither list itself, is probably wrong.
 */
function warnOfMisspelt(
  roles: readonly string[],
  { name, given, staff }: Record<'given' | 'staff', readonly string[]> & { name: string },
): void {
  for (const role of given.filter((one) => !roles.includes(one))) {
    const meant = roles.find(
      (one) => !staff.includes(one) && one[0] === role[0] && isNear(one, role),
    )
    if (meant === undefined) continue
    process.emitWarning(
      `passport-second-step: \`${name}\` has ${role}, which is not among \`roles\` (${roles}): did you mean ${meant}? ` +
        `Until then a mail can reset the second step of users with ${meant}, and adminRouter() refuses them`,
    )
  }
}
