import type { Request } from 'express'
import type { PolicyMode } from '../../domain/policy.js'
import type { PolicyChanges } from '../../domain/policy-change.js'
import { FACTOR_METHODS, type FactorMethod } from '../../factors/factors.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { AdminServices, Site } from '../request/site.js'
import { isJson, membersOf, trueOrFalse, wholeNumber } from './fields.js'

/** The modes there are, strictest last. */
export const MODES = ['off', 'optional', 'required'] as const satisfies readonly PolicyMode[]

/** The least and the most of whole numbers. */
const BOUNDS = { graceDays: [0, 365], codeAttempts: [3, 10], passwordAttempts: [3, 20] } as const

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
  accepts: acceptsOf,
  graceDays: (req, value) => wholeNumber(req, value, ...BOUNDS.graceDays),
  codeAttempts: (req, value) => wholeNumber(req, value, ...BOUNDS.codeAttempts),
  passwordAttempts: (req, value) => wholeNumber(req, value, ...BOUNDS.passwordAttempts),
  backupCodes: (req, value) => trueOrFalse(req, value),
}

/** What a request asks for. */
export interface PolicyRequest {
  readonly changes: PolicyChanges
  /** To say whom it concerns, and to change nothing. */
  readonly dryRun: boolean
  /** Of a form that was previewed: the version that it would have changed. Null: none. */
  readonly previewed: number | null
  /** To show the form once more, with what was typed. */
  readonly edit: boolean
}

/** What cannot be read of a request. */
export interface OddRequest {
  readonly problem: Problem
  /** Every field that is unknown or malformed. The problem names the first one. */
  readonly wrong: readonly string[]
}

/** Reads the whole request, so that a page shows all that is wrong at once. */
export function policyRequestOf(site: Site, req: Request): PolicyRequest | OddRequest {
  const members = membersOf(req)
  if (members === undefined || req.body === undefined)
    return { problem: malformed(null), wrong: [] }
  const { reason: _, dryRun: dry, ...more } = isJson(req) ? members : withRoles(members)
  const dryRun = dry === undefined ? false : trueOrFalse(req, dry)
  const { previewed: seen, edit, ...fields } = more
  const given = isJson(req) ? more : fields
  const previewed = isJson(req) || seen === undefined ? null : wholeNumber(req, seen, 0, 999_999)
  // Skips the hidden fields that the host puts into our forms.
  const hosts = Object.keys(site.formFields(req))
  const changes: Record<string, unknown> = {}
  const wrong: string[] = []
  let values: readonly string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(READS, name)) {
      changes[name] = READS[name as keyof Reads](req, value, site)
      if (changes[name] !== undefined) continue
    } else if (hosts.includes(name)) continue
    if (wrong.length === 0) values = isJson(req) ? allowedFor(name, value, site) : []
    wrong.push(...(isOfRoles(name) ? fieldsOfRoles(req, name, value, site) : [name]))
  }
  if (dryRun === undefined) wrong.push('dryRun')
  if (previewed === undefined) wrong.push('previewed')
  const [first] = wrong
  if (first !== undefined || dryRun === undefined || previewed === undefined) {
    return { problem: { ...malformed(first ?? null), ...allowedText(values) }, wrong }
  }
  return { changes, dryRun, previewed, edit: !isJson(req) && edit !== undefined }
}

/** What may stand there, in the words of JSON. A form offers it. */
function allowedFor(name: string, value: unknown, { roles }: AdminServices): readonly string[] {
  if (isOfRoles(name)) {
    const known = Object.keys(Object(value)).every((role) => roles.includes(role))
    return known ? (name === 'roles' ? MODES : FACTOR_METHODS) : roles
  }
  if (name === 'mode') return MODES
  if (name === 'backupCodes') return ['true', 'false']
  const bounds = isBounded(name) ? BOUNDS[name] : null
  return bounds === null ? Object.keys(READS) : [bounds.join('–')]
}

function isBounded(name: string): name is keyof typeof BOUNDS {
  return Object.hasOwn(BOUNDS, name)
}

function allowedText(values: readonly string[]): Pick<Problem, 'text'> {
  if (values.length === 0) return {}
  return { text: { key: 'admin.policy.allowed', values: values.join(', ') } }
}

/** The members that have a rule for each role. */
const OF_ROLES = ['roles', 'accepts'] as const

type OfRoles = (typeof OF_ROLES)[number]

function isOfRoles(name: string): name is OfRoles {
  return OF_ROLES.some((one) => one === name)
}

/** In a form each role has a field of its own. */
function fieldsOfRoles(
  req: Request,
  name: OfRoles,
  value: unknown,
  site: AdminServices,
): readonly string[] {
  const odd = Object.entries(Object(value)).filter(
    (rule) => READS[name](req, Object.fromEntries([rule]), site) === undefined,
  )
  return isJson(req) || odd.length === 0 ? [name] : odd.map(([role]) => `${name}[${role}]`)
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

/** Boxes that are not ticked in a form remove the role's rule. */
function acceptsOf(
  req: Request,
  value: unknown,
  site: AdminServices,
): PolicyChanges['accepts'] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (!Object.keys(value).every((role) => site.roles.includes(role))) return undefined
  const rules = Object.entries(value).map(([role, given]) => [role, methodsOf(req, given)] as const)
  if (rules.some(([, methods]) => methods === undefined)) return undefined
  return Object.fromEntries(
    rules.flatMap(([role, methods]) => (methods?.length ? [[role, methods]] : [])),
  )
}

/** Each method once, in the order of the factors. A form's hidden field says that its boxes were there. */
function methodsOf(req: Request, value: unknown): readonly FactorMethod[] | undefined {
  const given: readonly unknown[] = isJson(req) ? listIn(value) : [value].flat()
  const named = isJson(req) ? given : given.filter((one) => one !== '')
  const methods = FACTOR_METHODS.filter((method) => named.includes(method))
  const isKnown = named.every((one) => methods.some((method) => method === one))
  return isKnown && (methods.length > 0 || !isJson(req)) ? methods : undefined
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function modeOf(value: unknown): PolicyMode | undefined {
  return MODES.find((mode) => mode === value)
}

const FIELD_OF_A_ROLE = /^(roles|accepts)\[(.+)\]$/s

/** `roles[name]=mode`: our parser leaves it as it is, the host's parser may make it an object. */
function withRoles(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(members)
  const others = fields.filter(([name]) => !FIELD_OF_A_ROLE.test(name))
  const ofRoles = OF_ROLES.flatMap((member) => {
    const rules = fields.flatMap(([name, value]) => {
      const [, of, role] = FIELD_OF_A_ROLE.exec(name) ?? []
      return of === member && role !== undefined ? [[role, value] as const] : []
    })
    return rules.length === 0 ? [] : [[member, Object.fromEntries(rules)] as const]
  })
  return { ...Object.fromEntries(others), ...Object.fromEntries(ofRoles) }
}
