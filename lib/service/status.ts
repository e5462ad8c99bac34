import { enrolledSince } from '../domain/authenticators.js'
import { authenticatorLock } from '../domain/miss-budget.js'
import { FOREVER, pauseOf } from '../domain/pause.js'
import type { Subject } from '../domain/policy.js'
import { setupDeadlineOf, type UserContext } from '../domain/standing.js'
import { type State, stateOf } from '../domain/state.js'
import { backupCodesLeft } from '../factors/backup-codes/kept.js'
import type { KeyIds } from '../factors/key-status.js'
import type { System } from '../ports/system.js'
import type { Records } from './records.js'
import type { FindSubject } from './sessions.js'

/** A user's second step, in a few words. */
export interface SecondStepStatus {
  /**
   * The first that applies. `must-set-up`: none is set up, and one must be, at once or after the days
   * of grace. An id that nobody has is `off`.
   */
  readonly state: State
  /** Since when the authenticator is bound, or null. */
  readonly since: Date | null
  readonly backupCodesLeft: number
  /** Until when the authenticator is locked, or null. Backup codes work all the same. */
  readonly lockedUntil: Date | null
  /** Until when no code is asked for, or null. */
  readonly pausedUntil: Date | 'forever' | null
  /** Until when an authenticator must be set up, or null. In the past where that time is over. */
  readonly setupDeadline: Date | null
}

const NOBODY: Subject = { roles: [], createdAt: null, privileged: false }

/** Tells the host about its users. */
export class Status {
  readonly #records: Records
  readonly #system: System
  readonly #window: number
  readonly #findSubject: FindSubject | null
  readonly #keyIds: KeyIds

  constructor(parts: {
    records: Records
    system: System
    window: number
    findSubject: FindSubject | null
    keyIds: KeyIds
  }) {
    this.#records = parts.records
    this.#system = parts.system
    this.#window = parts.window
    this.#findSubject = parts.findSubject
    this.#keyIds = parts.keyIds
  }

  /** @throws UnavailableError where it cannot be known */
  async of(userId: string): Promise<SecondStepStatus> {
    const userContext = await this.#userContext(userId)
    if (userContext === null) return NO_SUCH_USER
    const [window, keyIds] = [this.#window, this.#keyIds]
    return statusOf(userContext, { window, keyIds }, this.#system.now())
  }

  /** Null for an id that nobody has, as far as can be told: no rule asks anything of nobody. */
  async #userContext(userId: string): Promise<UserContext | null> {
    const [{ record, policy }, found] = await Promise.all([
      this.#records.read(userId),
      this.#findSubject?.(userId),
    ])
    if (found === null && record.version === 0) return null
    return { record, policy, subject: found ?? NOBODY }
  }
}

const NO_SUCH_USER: SecondStepStatus = {
  state: 'off',
  since: null,
  backupCodesLeft: 0,
  lockedUntil: null,
  pausedUntil: null,
  setupDeadline: null,
}

function statusOf(
  userContext: UserContext,
  { window, keyIds }: { window: number; keyIds: KeyIds },
  now: number,
): SecondStepStatus {
  const { record } = userContext
  const pausedUntil = pauseOf(userContext, now)
  return {
    state: stateOf(userContext, window, now),
    since: dateOf(enrolledSince(record)),
    backupCodesLeft: backupCodesLeft(record.backupCodes, keyIds),
    lockedUntil: dateOf(authenticatorLock(record, window, now)),
    pausedUntil: pausedUntil === FOREVER ? 'forever' : dateOf(pausedUntil),
    setupDeadline: dateOf(setupDeadlineOf(userContext, now)),
  }
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
