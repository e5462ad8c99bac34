import type { RouteRules } from '../domain/route-rules.js'
import type { FactorMethod } from '../factors/factors.js'

/** Learns what the app's routes accept, as they are mounted. */
export class MountedRules {
  #rules: RouteRules = []

  get rules(): RouteRules {
    return this.#rules
  }

  /** An equal rule adds nothing: an app may make its guard anew for each request. */
  add(accepts: readonly FactorMethod[]): void {
    const isKnown = this.#rules.some(
      (rule) => rule.length === accepts.length && rule.every((one) => accepts.includes(one)),
    )
    if (!isKnown) this.#rules = [...this.#rules, accepts]
  }
}
