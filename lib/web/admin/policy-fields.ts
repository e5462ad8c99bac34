import type { Request } from 'express'
import type { PolicyMode } from '../../domain/policy.js'
import type { PolicyChanges } from '../../domain/policy-change.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { AdminServices, Site } from '../request/site.js'
import { isJson, membersOf, trueOrFalse, wholeNumber } from './fields.js'

/** The modes there are, strictest last. */
export const MODES = ['off', 'optional', 'required'] as const satisfies readonly PolicyMode[]

/** The parser of each member. Returns undefined for a malformed value. */
type Reads = {
  readonly [K in keyof Required<PolicyChanges>]: (
    req: Request,
    value: unknown,
    site: AdminServices,
  ) => Required<PolicyChanges>[K] | undefined
}

const READS: Reads = {
  mode: (_req, value) => modeOf(value),
  roles: rolesOf,
  graceDays: (req, value) => wholeNumber(req, value, 0, 365),
  codeAttempts: (req, value) => wholeNumber(req, value, 3, 10),
  passwordAttempts: (req, value) => wholeNumber(req, value, 3, 20),
  backupCodes: (req, value) => trueOrFalse(req, value),
}

/** The requested changes, or the first member that is unknown or malformed. */
export function policyChangesOf(
  site: Site,
  req: Request,
): { readonly changes: PolicyChanges } | { readonly problem: Problem } {
  const members = membersOf(req)
  if (members === undefined || req.body === undefined) return { problem: malformed(null) }
  const { reason: _, ...given } = isJson(req) ? members : withRoles(members)
  // Skips the hidden fields that the host puts into our forms.
  const hosts = Object.keys(site.formFields(req))
  const changes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(READS, name)) {
      changes[name] = READS[name as keyof Reads](req, value, site)
      if (changes[name] !== undefined) continue
    } else if (hosts.includes(name)) continue
    const field = name === 'roles' ? fieldOfRoles(req, value, site) : name
    return { problem: malformed(field) }
  }
  return { changes }
}

/** In a form each role has a field of its own. */
function fieldOfRoles(req: Request, value: unknown, site: AdminServices): string {
  const odd = Object.entries(Object(value)).find(
    (rule) => rolesOf(req, Object.fromEntries([rule]), site) === undefined,
  )
  return isJson(req) || odd === undefined ? 'roles' : `roles[${odd[0]}]`
}

/** An empty rule in a form removes the role's own rule. */
function rolesOf(
  req: Request,
  value: unknown,
  site: AdminServices,
): PolicyChanges['roles'] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const rules = Object.entries(value).filter(([, mode]) => isJson(req) || mode !== '')
  const named = Object.keys(value).every((role) => site.roles.includes(role))
  const known = rules.every(([, mode]) => modeOf(mode) !== undefined)
  return named && known ? Object.fromEntries(rules) : undefined
}

function modeOf(value: unknown): PolicyMode | undefined {
  return MODES.find((mode) => mode === value)
}

const FIELD_OF_A_ROLE = /^roles\[(.+)\]$/s

/** `roles[name]=mode`: our parser leaves it as it is, the host's parser may make it an object. */
function withRoles(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(members)
  const ofRoles = fields.flatMap(([name, value]) => {
    const [, role] = FIELD_OF_A_ROLE.exec(name) ?? []
    return role === undefined ? [] : [[role, value] as const]
  })
  if (ofRoles.length === 0) return { ...members }
  const others = fields.filter(([name]) => !FIELD_OF_A_ROLE.test(name))
  return { ...Object.fromEntries(others), roles: Object.fromEntries(ofRoles) }
}
