import { type OddField, OddUserError } from '../errors/odd-user-error.js'
import { isText } from './check.js'
import type { Described } from './options.js'

/** Properties that mark a spread document of these libraries: its fields remain inside them. */
const SPREAD: readonly { readonly library: string; readonly fields: string }[] = [
  { library: 'a Mongoose document', fields: '_doc' },
  { library: 'a Sequelize instance', fields: 'dataValues' },
]

/**
 * @param message made only where it is needed: every request describes a user, and a list many
 * @throws OddUserError where it does not hold
 */
export function checkUser(holds: boolean, field: OddField, message: () => string): asserts holds {
  if (!holds) throw new OddUserError(field, message())
}

/** The fields whose absence does harm. */
const NEEDED = ['id', 'email', 'roles'] as const

/**
 * A spread document looks like a user without any field: they would get no mail, and no admin would
 * count as one.
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
      () =>
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

/** The message for a user without an id. */
export function noIdMessage(told: unknown): string {
  return '_id' in Object(told)
    ? 'a user has no id, but an _id: give `describe: (user) => ({ id: user._id, email: user.email, roles: user.roles })`'
    : 'a user has no id: give `describe: (user) => ({ id, email, name })`'
}

/** The text of an id that is an object, such as an ObjectId. That of a document is all its fields. */
const ID_OF_AN_OBJECT = /^[\w.:-]{1,128}$/

/** The text of what is no id: of no value, a method, or bytes that are no UTF-8. */
const NO_ID = /^(undefined|null|NaN|true|false|-?Infinity)$|^function\b|=>|\ufffd/

/**
 * Whether it is one user's and stays it: the text of a method is the same for all of them, and so may be
 * that of bytes that are no UTF-8, or of a number that JavaScript rounds.
 */
export function isOnesOwn(id: unknown): boolean {
  if (typeof id === 'string') return !NO_ID.test(id)
  if (typeof id !== 'object') return isTextual(id)
  return id !== null && !Array.isArray(id) && ID_OF_AN_OBJECT.test(String(id))
}

/** Refuses an id that several users could share, or that changes with its user. */
export function checkIsOnesOwn({ id }: Described): void {
  checkUser(
    isOnesOwn(id),
    'id',
    () =>
      `a user has an \`id\` that is ${kindOf(id)}, which several users could share, or one user could lose: it must be a text or a number. ` +
      `Give \`describe: (user) => ({ id: ${ownIdOf(id)}, email: user.email, roles: user.roles })\`, say`,
  )
}

/** What to write instead. Not String(): it gives many users one text. */
function ownIdOf(id: unknown): string {
  if (typeof id === 'function') return 'user.id()'
  if (id instanceof Uint8Array) return "user.id.toString('hex')"
  if (typeof id === 'number') return 'user.id /* as a text from the database */'
  return 'user.id /* the one of the database */'
}

/**
 * The name that they sign in with, as a text, or null. Refuses anything else: every right login would
 * count as a miss.
 */
export function usernameOf({ username }: Described): string | null {
  const given: unknown = username ?? null
  checkUser(
    given === null || isTextual(given),
    'username',
    () =>
      `a user has a \`username\` that is ${kindOf(given)}: it must be a text or a number. ` +
      'Give `describe: (user) => ({ id: user.id, email: user.email, username: user.login })`, say',
  )
  return textOrNull(given)
}

/** A text, also of a number. Null for none, and for what is neither. */
export function textOrNull(value: unknown): string | null {
  const text = isTextual(value) ? String(value) : ''
  return isText(text) ? text : null
}

/** Texts, and numbers that are exact. */
function isTextual(value: unknown): value is string | number | bigint {
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  return typeof value === 'string' || typeof value === 'bigint'
}

/**
 * The one address without blanks around it, or null. Refuses a list, because nobody knows which address
 * counts, and no mail would go out.
 */
export function emailOf({ email }: Described): string | null {
  checkUser(
    email === undefined || email === null || typeof email === 'string',
    'email',
    () =>
      `a user has an \`email\` that is ${kindOf(email)}: it must be one address as a text. ` +
      'Give `describe: (user) => ({ id: user.id, email: user.emails[0] })`, say',
  )
  return isText(email) ? email.trim() : null
}

/**
 * Names of roles. Refuses anything else: it would match no role, and an admin would be unprotected.
 */
export function rolesOf({ roles }: Described): readonly string[] {
  const given: unknown = roles ?? []
  checkUser(
    Array.isArray(given) && given.every((role) => typeof role === 'string'),
    'roles',
    () =>
      `a user has \`roles\` that are ${kindOf(given)}: they must be a list of names. ` +
      'Give `describe: (user) => ({ id: user.id, email: user.email, roles: [user.role] })`, say',
  )
  return given.filter(isText)
}

/** Leaves the value out: a user's data must not be in a log. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' && !isTextual(value)) return 'no exact number'
  if (typeof value === 'string') return 'the text of something else'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
