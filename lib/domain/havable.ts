import type { Authenticator, FactorMethod } from '../factors/factors.js'
import { acceptedOf } from './accepted-methods.js'
import type { Policy } from './policy.js'

/** The kinds of authenticator that users may set up at this host. */
export type OfferedTypes = readonly Authenticator['type'][]

/** Whether a user may come to have a device of this method. An admin can assign what shows codes, whatever is offered. */
export function canHave(method: FactorMethod, types: OfferedTypes): boolean {
  return method === 'totp' || method === 'hotp' || types.some((type) => type === method)
}

/** The roles, of these, whose rule leaves nothing that their users could come to have. */
export function rolesWithoutWay(
  policy: Pick<Policy, 'accepts'>,
  roles: readonly string[],
  types: OfferedTypes,
): readonly string[] {
  return roles.filter((role) => {
    const accepted = acceptedOf(policy, { roles: [role] })
    return accepted !== null && !accepted.some((method) => canHave(method, types))
  })
}
