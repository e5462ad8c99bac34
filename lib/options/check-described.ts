import { type OddField, OddUserError } from '../errors/odd-user-error.js'
import { isText } from './check.js'
import type { Described } from './options.js'

/** How documents of these libraries are known once they were spread: their fields stay in here. */
const SPREAD: readonly { readonly library: string; readonly fields: string }[] = [
  { library: 'a Mongoose document', fields: '_doc' },
  { library: 'a Sequelize instance', fields: 'dataValues' },
]

/** @throws OddUserError where it does not hold */
export function checkUser(holds: boolean, field: OddField, message: string): asserts holds {
  if (!holds) throw new OddUserError(field, message)
}

/** What does harm where it is missing. */
const NEEDED = ['id', 'email', 'roles'] as const

/**
 * A document that was spread looks like a user who has nothing: no mail would go out, and no admin
 * would be one.
 */
export function checkIsNotSpread(told: Described): void {
  if (Object.getPrototypeOf(told) !== Object.prototype) return
  for (const { library, fields } of SPREAD) {
    const inside: unknown = Reflect.get(told, fields)
    if (typeof inside !== 'object' || inside === null) continue
    const lost = NEEDED.filter((name) => told[name] === undefined && has(inside, name))
    checkUser(
      lost.length === 0,
      lost[0] ?? 'id',
      `a user is ${library} that was spread ({ ...doc }), which leaves its fields behind, ${lost.join(', ')} ` +
        'among them: hand over the document itself, or ' +
        'describe: (doc) => ({ id: doc.id, email: doc.email, roles: doc.roles })',
    )
  }
}

/** Mongoose keeps the id as `_id`. */
function has(inside: object, name: string): boolean {
  const value: unknown = Reflect.get(inside, name) ?? Reflect.get(inside, `_${name}`)
  return value !== undefined && value !== null
}

/** What is missing where a user has no id. */
export function noIdMessage(told: unknown): string {
  return '_id' in Object(told)
    ? 'a user has no id, but an _id: give `describe: (user) => ({ id: user._id, email: user.email, roles: user.roles })`'
    : 'a user has no id: give `describe: (user) => ({ id, email, name })`'
}

/** The one address, or null. Of a list nobody would know which, and no mail would ever go out. */
export function emailOf({ email }: Described): string | null {
  checkUser(
    email === undefined || email === null || typeof email === 'string',
    'email',
    `a user has an \`email\` that is ${kindOf(email)}: it must be one address as a text. ` +
      'Give `describe: (user) => ({ id: user.id, email: user.emails[0] })`, say',
  )
  return isText(email) ? email : null
}

/** Names of roles. Others would be none, and an admin would be protected by nothing. */
export function rolesOf({ roles }: Described): readonly string[] {
  const given: unknown = roles ?? []
  checkUser(
    Array.isArray(given) && given.every((role) => typeof role === 'string'),
    'roles',
    `a user has \`roles\` that are ${kindOf(given)}: they must be a list of names. ` +
      'Give `describe: (user) => ({ id: user.id, email: user.email, roles: [user.role] })`, say',
  )
  return given.filter(isText)
}

/** Not the value: what a user has is nobody's business in a log. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
