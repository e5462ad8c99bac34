import type { RouteRules } from '../domain/route-rules.js'
import type { FactorMethod } from '../factors/factors.js'

/** Learns what the app's routes accept, as they are mounted. */
export class MountedRules {
  #rules: RouteRules = []
  #hasMet = false

  get rules(): RouteRules {
    return this.#rules
  }

  /** An equal rule adds nothing: an app may make its guard anew for each request. */
  add(accepts: readonly FactorMethod[]): void {
    const isKnown = this.#rules.some(
      (rule) => rule.length === accepts.length && rule.every((one) => accepts.includes(one)),
    )
    if (isKnown) return
    this.#rules = [...this.#rules, accepts]
    if (this.#hasMet) warnOfLate(accepts)
  }

  /** The guard meets a user: from now on, a new rule comes too late for somebody. */
  meet(): void {
    this.#hasMet = true
  }
}

/** In a handler or a lazy router, a rule binds nobody until its route is first asked for. */
function warnOfLate(accepts: readonly FactorMethod[]): void {
  process.emitWarning(
    `passport-second-step: requireFresh({ accepts: ['${accepts.join("', '")}'] }) was first called after users had been met: until ` +
      'then any proof could show, add or remove what this route accepts. Call it once where routes are mounted, before the ' +
      'app answers requests, and not in a handler',
  )
}
