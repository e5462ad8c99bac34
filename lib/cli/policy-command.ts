import type { Policy, PolicyMode } from '../domain/policy.js'
import type { PolicyChanges } from '../domain/policy-change.js'
import { FACTOR_METHODS, type FactorMethod } from '../factors/factors.js'
import type { PolicyChanged } from '../service/administration.js'
import { type App, withApp } from './app.js'
import { UsageError, type Values } from './arguments.js'
import type { Command } from './command.js'
import { oneOf, wholeNumber } from './refusals.js'

const MODES = ['off', 'optional', 'required'] as const satisfies readonly PolicyMode[]

const NOTHING_IN_COMMON =
  '--accepts must leave at least one kind of authenticator that all roles with such a rule accept.'

const NO_KEYS_HERE =
  '--accepts leaves security keys alone, which users cannot set up here: set the option "webauthn", or accept totp or hotp too.'

const ADMINS_ARE_ASKED =
  'For admins off counts as optional: they are asked for a code all the same.'

/** `policy`: shows the policy, or changes the named fields. */
export const policy: Command = {
  summary: 'Shows the policy, or changes what is named.',
  usage: '--config FILE [changes] [--reason TEXT]',
  help: `--config FILE          the options of createSecondStep
--mode MODE            off, optional or required
--role NAME=MODE       the rule of one of the option "roles", or NAME=default for the general
                       one; may be given several times
--accepts NAME=METHODS what counts for a role: ${FACTOR_METHODS.join(',')}; or
                       NAME=default for everything; may be given several times
--grace-days N         0 to 365
--code-attempts N      wrong codes in one login, 3 to 10
--password-attempts N  wrong passwords in 15 minutes, 3 to 20
--backup-codes on|off
--reason TEXT          for the audit log
--json                 prints the result as JSON
${ADMINS_ARE_ASKED}
A change counts at the next request.`,
  options: [
    'config',
    'mode',
    'role',
    'accepts',
    'grace-days',
    'code-attempts',
    'password-attempts',
    'backup-codes',
    'reason',
    'json',
  ],
  run: async (values) => {
    const named = changesOf(values)
    const rules = values.role?.map(ruleOf)
    const accepts = values.accepts?.map(acceptsOf)
    return withApp(values, async (app) => {
      const { administration } = app.site
      const edit = {
        ...named,
        ...(rules === undefined ? {} : { namedRoles: ofRoles(app, rules) }),
        ...(accepts === undefined ? {} : { namedAccepts: ofRoles(app, accepts) }),
      }
      const changed: PolicyChanged =
        Object.keys(edit).length === 0
          ? { kind: 'changed', policy: await administration.policy() }
          : await administration.changePolicy(app.requestInfo, edit)
      if (changed.kind === 'no-keys-here') throw new UsageError(NO_KEYS_HERE)
      if (changed.kind !== 'changed') throw new UsageError(NOTHING_IN_COMMON)
      const shown = shownPolicy(app, changed.policy)
      return { ok: true, text: textOf(shown), json: shown }
    })
  },
}

/** The named fields, except the roles, which are checked against the options. */
function changesOf(values: Values): PolicyChanges {
  const { mode } = values
  const number = (name: 'grace-days' | 'code-attempts' | 'password-attempts') => values[name]
  const [grace, codes, passwords] = [
    number('grace-days'),
    number('code-attempts'),
    number('password-attempts'),
  ]
  const backupCodes = values['backup-codes']
  return {
    ...(mode === undefined ? {} : { mode: oneOf('mode', mode, MODES) }),
    ...(grace === undefined ? {} : { graceDays: wholeNumber('grace-days', grace, 0, 365) }),
    ...(codes === undefined ? {} : { codeAttempts: wholeNumber('code-attempts', codes, 3, 10) }),
    ...(passwords === undefined
      ? {}
      : { passwordAttempts: wholeNumber('password-attempts', passwords, 3, 20) }),
    ...(backupCodes === undefined
      ? {}
      : { backupCodes: oneOf('backup-codes', backupCodes, ['on', 'off']) === 'on' }),
  }
}

/** @throws UsageError for a role that the options don't name */
function ofRoles<Rule>(
  { site }: App,
  rules: readonly (readonly [string, Rule])[],
): Readonly<Record<string, Rule>> {
  const unknown = rules.find(([name]) => !site.roles.includes(name))
  if (unknown === undefined) return Object.fromEntries(rules)
  const names = site.roles.join(', ') || 'none'
  throw new UsageError(`There is no role "${unknown[0]}"; the option "roles" names: ${names}.`)
}

type NamedRule = readonly [string, PolicyMode | 'default']

function ruleOf(given: string): NamedRule {
  const at = given.lastIndexOf('=')
  if (at < 1) throw new UsageError('--role must be NAME=MODE.')
  return [given.slice(0, at), oneOf('role', given.slice(at + 1), [...MODES, 'default'])]
}

function acceptsOf(given: string): readonly [string, readonly FactorMethod[] | 'default'] {
  const at = given.lastIndexOf('=')
  if (at < 1) throw new UsageError('--accepts must be NAME=METHOD,METHOD.')
  const [role, named] = [given.slice(0, at), given.slice(at + 1)]
  if (named === 'default') return [role, named]
  const listed = named.split(',')
  // Beside others it would be left out, and the rule would be another than the one that was typed.
  const known = listed.length === 1 ? [...FACTOR_METHODS, 'default'] : FACTOR_METHODS
  const words = listed.map((word) => oneOf('accepts', word, known))
  return [role, FACTOR_METHODS.filter((method) => words.includes(method))]
}

/** As over HTTP: `updatedBy` is the host's id of the admin, or `operator`. */
function shownPolicy({ checked }: App, policy: Policy) {
  const { mode, roles, accepts, graceDays, codeAttempts, passwordAttempts, backupCodes } = policy
  const { updatedAt, updatedBy } = policy
  const changed = updatedAt === null ? null : new Date(updatedAt).toISOString()
  const settings = { mode, roles, accepts, graceDays, codeAttempts, passwordAttempts, backupCodes }
  const id = updatedBy?.id ?? null
  const by = id === null ? (updatedBy?.kind ?? null) : checked.hostIdOf(id)
  return { ...settings, updatedAt: changed, updatedBy: by }
}

function textOf({ roles, accepts, ...rest }: ReturnType<typeof shownPolicy>): string {
  const rules = Object.entries(roles).map(([name, mode]) => `role ${name}: ${mode}`)
  for (const [name, methods] of Object.entries(accepts)) {
    rules.push(`role ${name} accepts: ${methods.join(', ')}`)
  }
  const lines = Object.entries(rest).map(([name, value]) => `${name}: ${value ?? '-'}`)
  const isOff = [rest.mode, ...Object.values(roles)].includes('off')
  return [...lines, ...rules, ...(isOff ? [ADMINS_ARE_ASKED] : [])].join('\n')
}
