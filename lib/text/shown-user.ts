import type { UserAction } from '../domain/admin-actions.js'
import { FOREVER } from '../domain/pause.js'
import { type Policy, ruleFor, type Subject } from '../domain/policy.js'
import type { State } from '../domain/state.js'
import type { Authenticator } from '../factors/factors.js'
import type { KeyStatus } from '../factors/key-status.js'
import type { ListedMember } from '../service/member.js'
import { isoTime } from './iso-time.js'
import type { HostIds } from './shown-event.js'

/** A user as admins see them. Times are ISO 8601. */
export interface ShownUser {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  readonly state: State
  readonly since: string | null
  readonly backupCodesLeft: number
  /** `forever`: until resumed. */
  readonly pausedUntil: string | null
  readonly lockedUntil: string | null
  readonly setupDeadline: string | null
}

/** What a list calls a device. */
export type DeviceKind = 'app' | 'token' | 'key'

/** As the pages have them, which say more. */
export interface ListedUser extends ShownUser {
  /** The place of the key of their unused backup codes. Default: null. */
  readonly backupCodesKey?: KeyStatus | null
  /**
   * Their record is damaged or lost, or the app tells the user wrongly: the state is not known.
   * Default: false.
   */
  readonly unreadable?: boolean
  /** Whether the policy asks them for a second step at all. Default: yes. */
  readonly asked?: boolean
  /** Must set up, and the time for it is over. Default: false. */
  readonly late?: boolean
  /** Default: none. */
  readonly roles?: readonly string[]
  /** The kinds of their devices, each once. Default: none. */
  readonly factors?: readonly DeviceKind[]
  /** When one of their devices was last used, ISO 8601; null: never. Default: null. */
  readonly lastUsedAt?: string | null
  /** What the admin may be offered for them in a list. Default: nothing. */
  readonly actions?: readonly UserAction[]
}

/** The policy as admins see it. */
export interface ShownPolicy
  extends Pick<
    Policy,
    'mode' | 'roles' | 'accepts' | 'graceDays' | 'codeAttempts' | 'passwordAttempts' | 'backupCodes'
  > {
  /** ISO 8601, or null while nobody has changed it. */
  readonly updatedAt: string | null
  /** The host's id of an admin, or `operator`. */
  readonly updatedBy: string | null
}

/** Built field by field, so that no other field of the record or of the host's user gets out. */
export function shownUser(member: ListedMember): ShownUser {
  const { hostId, account, state, since, backupCodesLeft } = member
  return {
    id: hostId,
    name: account.name,
    email: account.email,
    state,
    since: iso(since),
    backupCodesLeft,
    pausedUntil: shownUntil(member.pausedUntil),
    lockedUntil: iso(member.lockedUntil),
    setupDeadline: iso(member.setupDeadline),
  }
}

export function listedUser(member: ListedMember): ListedUser {
  const { backupCodesKey, unreadable, record, policy, subject } = member
  const devices = record?.authenticators ?? []
  const used = devices.flatMap(({ lastUsedAt }) => lastUsedAt ?? [])
  return {
    ...shownUser(member),
    backupCodesKey,
    unreadable: unreadable !== undefined,
    asked: policy === undefined || subject === undefined || isAsked(policy, subject),
    roles: subject?.roles ?? [],
    factors: [...new Set(devices.map(kindOf))],
    lastUsedAt: used.length === 0 ? null : isoTime(Math.max(...used)),
  }
}

function isAsked(policy: Policy, subject: Subject): boolean {
  return ruleFor(policy, subject).mode !== 'off'
}

function kindOf({ type, serial }: Authenticator): DeviceKind {
  if (type === 'webauthn') return 'key'
  return type === 'hotp' || serial !== null ? 'token' : 'app'
}

export function shownPolicy({ hostIdOf }: HostIds, policy: Policy): ShownPolicy {
  const { mode, roles, accepts, graceDays, codeAttempts, passwordAttempts, backupCodes } = policy
  const { updatedAt, updatedBy } = policy
  const by = updatedBy?.kind === 'operator' ? 'operator' : null
  const id = updatedBy?.id ?? null
  return {
    mode,
    roles,
    accepts,
    graceDays,
    codeAttempts,
    passwordAttempts,
    backupCodes,
    updatedAt: iso(updatedAt),
    updatedBy: id === null ? by : hostIdOf(id),
  }
}

/** The end of a pause. */
export function shownUntil(time: number | null): string | null {
  return time === FOREVER ? 'forever' : iso(time)
}

export function iso(time: number | null): string | null {
  return time === null ? null : isoTime(time)
}
