import { CHANGEABLE } from '../domain/policy-change.js'
import { FACTOR_METHODS } from '../factors/factors.js'

/** Of one setting: how it is now. Null: no rule of its own. */
export type PolicyValue = string | number | boolean | readonly string[] | null

/** One change of the policy, as pages say it. */
export interface PolicyLine {
  readonly setting: (typeof CHANGEABLE)[number]
  /** Whose rule it is; null: it is for everybody. */
  readonly role: string | null
  readonly now: PolicyValue
  /** Undefined: not known, as of entries of version 0.1.0. */
  readonly before: PolicyValue | undefined
}

/** @param detail of the event `policy-changed`, perhaps of another version of the package */
export function policyLines(detail: object | null | undefined): readonly PolicyLine[] {
  const changed = objectIn(detail, 'changed') ?? {}
  const before = objectIn(detail, 'before')
  return CHANGEABLE.flatMap((setting) => {
    if (!Object.hasOwn(changed, setting)) return []
    const [now, was] = [Reflect.get(changed, setting), before && Reflect.get(before, setting)]
    if (setting === 'roles' || setting === 'accepts') return linesOfRoles(setting, now, was)
    return [
      {
        setting,
        role: null,
        now: policyValue(now),
        before: was === undefined ? was : policyValue(was),
      },
    ]
  })
}

function linesOfRoles(
  setting: 'roles' | 'accepts',
  now: unknown,
  was: unknown,
): readonly PolicyLine[] {
  const [next, old] = [Object(now), was === undefined ? null : Object(was)]
  const ruleOf = (rules: object, role: string) =>
    Object.hasOwn(rules, role) ? policyValue(Reflect.get(rules, role)) : null
  const roles = new Set([...Object.keys(old ?? {}), ...Object.keys(next)])
  return [...roles].flatMap((role): readonly PolicyLine[] => {
    const line = { setting, role, now: ruleOf(next, role) }
    if (old === null) return [{ ...line, before: undefined }]
    const before = ruleOf(old, role)
    return String(before) === String(line.now) ? [] : [{ ...line, before }]
  })
}

function objectIn(detail: object | null | undefined, name: string): object | undefined {
  const value: unknown = Reflect.get(Object(detail), name)
  return typeof value === 'object' && value !== null ? value : undefined
}

/** A log may hold anything. */
function policyValue(value: unknown): PolicyValue {
  if (Array.isArray(value)) return FACTOR_METHODS.filter((method) => value.includes(method))
  const plain = typeof value === 'number' || typeof value === 'boolean'
  return plain || typeof value === 'string' ? value : null
}
