import type { Request } from 'express'
import { initialisedBy, keyOf, type PassportInstance } from './passport.js'
import type { HostApp } from './site.js'

const warned = new WeakSet<readonly PassportInstance[]>()
// Of every guard: an app may have several, for users apart, with one session.
const named = new WeakSet<object>()
const keysOfNamed = new Set<string | undefined>()

/** Notes the instances that a guard knows. */
export function noteNamed(passports: readonly PassportInstance[]): void {
  for (const passport of passports) {
    named.add(passport)
    keysOfNamed.add(keyOf(passport))
  }
}

/**
 * Warns once of an instance that ran in front of the guard and that the host did not name. A known one is in
 * charge again by now, so the guard does not meet the other's user if they have a property of their own. Two
 * marks may remain: the request's `_passport`, and a key of the session with a user and nothing else.
 */
export function warnOfForgotten({ passports }: Pick<HostApp, 'passports'>, req: Request): void {
  if (warned.has(passports)) return
  const instance = initialisedBy(req)
  const ran = instance !== undefined && !named.has(Object(instance))
  const key = keyOfForgotten(req)
  if (!ran && key === undefined) return
  warned.add(passports)
  const where = key === undefined ? '' : `, which may keep its users in session.${key}`
  process.emitWarning(
    'passport-second-step: a Passport instance that createSecondStep() does not know runs in front of ' +
      `guard()${where}: no code is asked of its users. Name every instance of the app in the option \`passports\``,
  )
}

function keyOfForgotten(req: Request): string | undefined {
  return Object.keys(req.session).find(
    (key) => !keysOfNamed.has(key) && isSerialisedLogin(Reflect.get(req.session, key)),
  )
}

/** As Passport writes it. */
function isSerialisedLogin(kept: unknown): boolean {
  if (typeof kept !== 'object' || kept === null) return false
  const { user } = kept as { user?: unknown }
  return (user ?? null) !== null && Object.keys(kept).length === 1
}
