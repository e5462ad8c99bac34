import type { Subject } from '../domain/policy.js'
import { answeredAtOnce } from '../errors/at-once.js'
import type { Account } from '../service/accounts.js'
import type { Glimpse } from '../service/odd-user.js'
import { isText } from './check.js'
import {
  checkIsNotSpread,
  checkIsOnesOwn,
  checkUser,
  emailOf,
  noIdMessage,
  rolesOf,
  textOrNull,
  usernameOf,
} from './check-described.js'
import type { Described } from './options.js'
import { unusedFields } from './unused-fields.js'

// Two such ids hash alike, so two users would share a record.
const LONE_SURROGATE = /\p{Cs}/u
const LIKE_A_REALM = /^[a-z0-9-]{0,32}:/

/** An id that looks as if it had a realm must not be taken for a user of that realm. */
function unmistakable(id: string): string {
  return LIKE_A_REALM.test(id) ? `:${id}` : id
}

/** The ids of one realm, which is empty for the app without one, and else ends with a colon. */
function realmIds(realm: string) {
  const inRealm = (id: string) => (realm === '' ? unmistakable(id) : `${realm}${id}`)
  const hostId = (ofRecord: string) =>
    realm === '' ? ofRecord.replace(/^:/, '') : ofRecord.slice(realm.length)
  /** Null for a user of another realm. */
  const hostIdOf = (ofRecord: string) =>
    inRealm(hostId(ofRecord)) === ofRecord ? hostId(ofRecord) : null
  return { inRealm, hostId, hostIdOf }
}

/** Whether a record is of the realm that the option names. Undefined: of the app without one. */
export function isInRealm(recordId: string, realm: string | undefined): boolean {
  return realmIds(realm === undefined ? '' : `${realm}:`).hostIdOf(recordId) !== null
}

/** User ids are made strings once, here: an ObjectId never equals its JSON copy. */
export function identity<U>(
  describe: ((user: U) => Described) | undefined,
  realm: string,
  isAdmin: (user: U, roles: readonly string[]) => boolean,
  isHelpDesk: (roles: readonly string[]) => boolean = () => false,
) {
  const { inRealm, hostId, hostIdOf } = realmIds(realm)
  const recordId = (id: unknown, told?: unknown): string => {
    const text = id === undefined || id === null ? '' : String(id)
    checkUser(isId(text), 'id', () => noIdMessage(told))
    return inRealm(text)
  }
  const idIn = (told: Described): string => {
    const id = recordId(told.id, told)
    checkIsOnesOwn(told)
    return id
  }
  const warnOfUnused = unusedFields()
  // Does not spread the user: that loses what a class defines, such as a document's fields.
  const tell = (user: Express.User): Described =>
    answeredAtOnce('describe', describe?.(user as U)) ?? (user as Described)
  return {
    recordId,
    hostId,
    recordIdOf: (id: string) => (isId(id) ? inRealm(id) : null),
    hostIdOf,
    describe: (user: Express.User): Account<Express.User> => {
      const told = tell(user)
      checkIsNotSpread(told)
      const createdAt = timeOrNull(told.createdAt)
      const [name, locale] = [textOrNull(told.name), textOrNull(told.locale)]
      warnOfUnused(told, { createdAt, name, locale })
      return {
        user,
        id: idIn(told),
        email: emailOf(told),
        name,
        username: usernameOf(told),
        locale,
        ...staffOf(told, createdAt, { isAdmin: (roles) => isAdmin(user as U, roles), isHelpDesk }),
        tellsRoles: told.roles !== undefined && told.roles !== null,
      }
    },
    /** What can be told of a user where `describe` throws. Never throws. */
    glimpse: (user: Express.User): Glimpse => ({
      id: orNull(() => idIn(tell(user))),
      name: orNull(() => textOrNull(tell(user).name)),
    }),
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function isId(text: string): boolean {
  return text !== '' && !text.startsWith('[object ') && !LONE_SURROGATE.test(text)
}

/** A help desk can let anybody's password in: it is bound and protected as admins are. */
function staffOf(
  told: Described,
  createdAt: number | null,
  {
    isAdmin,
    isHelpDesk,
  }: Readonly<Record<'isAdmin' | 'isHelpDesk', (roles: readonly string[]) => boolean>>,
): Pick<Account, 'subject' | 'helpDesk'> {
  const roles = rolesOf(told)
  const admin = isAdmin(roles)
  const helpDesk = !admin && isHelpDesk(roles)
  const subject: Subject = { roles, createdAt, privileged: admin || helpDesk }
  return helpDesk ? { subject, helpDesk } : { subject }
}

function timeOrNull(value: unknown): number | null {
  if (!(value instanceof Date || typeof value === 'number' || isText(value))) return null
  const time = new Date(value).getTime()
  return Number.isNaN(time) ? null : time
}
