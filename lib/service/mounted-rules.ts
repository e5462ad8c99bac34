import type { RouteRules } from '../domain/route-rules.js'
import type { FactorMethod } from '../factors/factors.js'

/** Learns what the app's routes accept, as they are mounted. */
export class MountedRules {
  #rules: RouteRules = []

  get rules(): RouteRules {
    return this.#rules
  }

  add(accepts: readonly FactorMethod[]): void {
    this.#rules = [...this.#rules, accepts]
  }
}
