import { FACTOR_METHODS } from '../factors/factors.js'
import type { Policy } from './policy.js'
import type { RouteRules } from './route-rules.js'

/** What cannot be relayed. */
export const KEYS = ['webauthn'] as const

/** Whether security keys, and nothing else that this policy has, pass all of these rules together. */
export function leaveKeysAlone(
  rules: RouteRules,
  { backupCodes }: Pick<Policy, 'backupCodes'>,
): boolean {
  const left = FACTOR_METHODS.filter((method) => method !== 'backup-code' || backupCodes).filter(
    (method) => rules.every((rule) => rule.includes(method)),
  )
  return left.length === 1 && left[0] === 'webauthn'
}
