import { type OfferedTypes, rolesWithoutWay } from '../domain/havable.js'
import type { Policy } from '../domain/policy.js'

/**
 * Warns of stored rules of the host's roles that nobody can fulfil with its options: once for each version of the policy.
 * The option `webauthn` may be gone since the rule was made, or another app has made it.
 */
export class UnfulfilledRules {
  readonly #roles: readonly string[]
  readonly #types: OfferedTypes
  #seen = -1

  constructor(roles: readonly string[], types: OfferedTypes) {
    this.#roles = roles
    this.#types = types
  }

  /** Called for each policy that is read, so it compares a number and no more. */
  see(policy: Policy): void {
    if (policy.version === this.#seen) return
    this.#seen = policy.version
    const names = rolesWithoutWay(policy, this.#roles, this.#types)
    if (names.length === 0) return
    const edits = names.map((name) => `--accepts ${name}=default`).join(' ')
    process.emitWarning(
      `passport-second-step: the policy accepts security keys alone of users with the role ${names.join(', ')}, and they cannot set one ` +
        'up here: whoever has none cannot sign in. Give the option `webauthn`, and webauthn in `authenticators` if you name these, or ' +
        `change the rule: npx passport-second-step policy ${edits}`,
    )
  }
}
