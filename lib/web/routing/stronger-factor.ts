import { acceptedOf } from '../../domain/accepted-methods.js'
import type { UserContext } from '../../domain/standing.js'
import type { FactorMethod } from '../../factors/factors.js'
import type { Problem } from '../../text/problem.js'

/** The problem where a rule accepts other methods only. @param next where one of these can be given */
export function strongerFactor(accepts: readonly FactorMethod[], next: string): Problem {
  const code = 'stronger-factor-required'
  if (accepts.length === 0) return { code, accepts, next, text: { key: 'rule.nothing-accepted' } }
  return {
    code,
    accepts,
    next,
    text: { key: 'problem.stronger-factor-required', methods: accepts },
  }
}

/** The same by the rules of a user's roles. */
export function strongerFactorOf(
  { policy, subject }: Pick<UserContext, 'policy' | 'subject'>,
  next: string,
): Problem {
  return strongerFactor(acceptedOf(policy, subject) ?? [], next)
}
