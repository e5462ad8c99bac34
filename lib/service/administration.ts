import type { AdminAction } from '../domain/admin-actions.js'
import {
  type AdminVerdict,
  backupCodesByAdmin,
  disableByAdmin,
  endSessionsByAdmin,
  noteByAdmin,
  oneTimeCodeByAdmin,
  pauseByAdmin,
  remindByAdmin,
  removeByAdmin,
  resetByAdmin,
  resumeByAdmin,
  unlockByAdmin,
} from '../domain/administration.js'
import type { Decision } from '../domain/decision.js'
import type { Actor, SecondStepEvent } from '../domain/event.js'
import { pauseEnd } from '../domain/pause.js'
import type { Policy } from '../domain/policy.js'
import {
  changePolicy,
  type OfferedHere,
  type PolicyAdmin,
  type PolicyEdit,
  type PolicyRefusal,
  policyRefusal,
} from '../domain/policy-change.js'
import type { UserContext } from '../domain/standing.js'
import type { AdminAnswer, AdminChange, AdminChanges } from './admin-changes.js'
import { type Announcer, type RequestInfo, SYSTEM } from './announcer.js'
import type { BackupCodes } from './backup-codes.js'
import type { MountedRules } from './mounted-rules.js'
import type { OneTimeCodes } from './one-time-codes.js'
import type { Records } from './records.js'

/** The outcome of a change of the policy. */
export type PolicyChanged =
  | { readonly kind: 'changed'; readonly policy: Policy }
  | { readonly kind: 'changed-meanwhile' }
  | PolicyRefusal

/** A change of the policy that nobody has made yet. */
export interface PolicyPreview {
  readonly kind: 'preview'
  readonly before: Policy
  /** The very same as before, where nothing changes. */
  readonly after: Policy
  readonly events: readonly SecondStepEvent[]
}

/**
 * The actions of admins and the operator. The caller authorises them. None turns the second
 * step on for a user who has no device: see `AssignedTokens`.
 */
export class Administration {
  readonly #changes: AdminChanges
  readonly #records: Records
  readonly #backupCodes: BackupCodes
  readonly #oneTimeCodes: OneTimeCodes
  readonly #announcer: Announcer
  readonly #window: number
  readonly #mountedRules: MountedRules
  readonly #offered: Omit<OfferedHere, 'routes'>

  constructor(parts: {
    changes: AdminChanges
    records: Records
    backupCodes: BackupCodes
    oneTimeCodes: OneTimeCodes
    announcer: Announcer
    window: number
    /** What the app's routes accept. */
    mountedRules: MountedRules
    offered: Omit<OfferedHere, 'routes'>
  }) {
    this.#changes = parts.changes
    this.#records = parts.records
    this.#backupCodes = parts.backupCodes
    this.#oneTimeCodes = parts.oneTimeCodes
    this.#announcer = parts.announcer
    this.#window = parts.window
    this.#mountedRules = parts.mountedRules
    this.#offered = parts.offered
  }

  /** Forgets authenticator and codes; the first step alone is enough from then on. */
  disable(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, disableByAdmin)
  }

  /** Pauses the second step for some days (already validated) or until resumed. */
  pause(
    change: AdminChange,
    days: number | 'forever',
  ): Promise<AdminAnswer<{ readonly pausedUntil: number }>> {
    return this.#changes.make(change, (userContext, now) => {
      const pausedUntil = pauseEnd(days, now)
      return { ...pauseByAdmin(userContext, pausedUntil, now), result: { pausedUntil } }
    })
  }

  /** Ends a pause. */
  resume(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, resumeByAdmin)
  }

  /** Forgets authenticator and codes; the next login sets up. All sessions end. */
  reset(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, resetByAdmin)
  }

  /** Makes a new set of backup codes, shown to the admin once. All earlier ones stop working. */
  makeBackupCodes(change: AdminChange): Promise<AdminAnswer<readonly string[]>> {
    return this.#changes.make(change, async (userContext, now) => {
      const { set, codes } = await this.#backupCodes.make(change.userId, now)
      return { ...backupCodesByAdmin(userContext, set), result: codes }
    })
  }

  /** Makes a code for one login, in which the user must set up again. Earlier codes stay. */
  makeOneTimeCode(
    change: AdminChange,
  ): Promise<AdminAnswer<{ readonly code: string; readonly expiresAt: number }>> {
    return this.#changes.make(change, async (userContext, now) => {
      const { made, code } = await this.#oneTimeCodes.make(change.userId, now)
      const result = { code, expiresAt: made.expiresAt }
      return { ...oneTimeCodeByAdmin(userContext, made, now, this.#mountedRules.rules), result }
    })
  }

  /** Removes one authenticator; the last one only where the policy lets the user do without. */
  removeAuthenticator(change: AdminChange, id: string): Promise<AdminAnswer> {
    return this.#change(change, (userContext, now) =>
      removeByAdmin(userContext, id, { window: this.#window, now }),
    )
  }

  /** Clears misses, waits and the lock. */
  unlock(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, unlockByAdmin)
  }

  /** Ends every session and pending login of the user. */
  endSessions(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, endSessionsByAdmin)
  }

  /** Asks a user who has no second step to set one up. @param mails whether the app sends mails */
  remind(change: AdminChange, mails: boolean): Promise<AdminAnswer> {
    return this.#change(change, (userContext, now) => remindByAdmin(userContext, { mails, now }))
  }

  /** Notes the reason in the audit log, where the user reads it too. Nothing else changes. */
  note(change: AdminChange): Promise<AdminAnswer> {
    return this.#change(change, noteByAdmin)
  }

  /** The policy, read anew. */
  policy(): Promise<Policy> {
    return this.#records.policy()
  }

  /**
   * Changes the named fields, and returns the whole policy. The change takes effect at the next
   * request.
   *
   * @param admin who makes the change; null: the operator
   * @param previewed the version that the admin has seen a preview of: if it is another one by now, nothing changes.
   *   Null: any
   */
  async changePolicy(
    requestInfo: RequestInfo,
    edit: PolicyEdit,
    admin: PolicyAdmin | null = null,
    previewed: number | null = null,
  ): Promise<PolicyChanged> {
    const by = requestInfo.actor ?? SYSTEM
    const refusal = await this.#records.changePolicy<PolicyChanged | null>(
      requestInfo,
      (policy, now) => {
        if (previewed !== null && policy.version !== previewed) {
          return { policy, answer: { kind: 'changed-meanwhile' }, events: [] }
        }
        const decided = this.#decide(policy, edit, by, now, admin)
        if (decided.kind !== 'preview') return { policy, answer: decided, events: [] }
        return { policy: decided.after, answer: null, events: decided.events }
      },
    )
    return refusal ?? { kind: 'changed', policy: await this.#records.policy() }
  }

  /** What `changePolicy` would do now. Changes and announces nothing. */
  async previewPolicy(
    edit: PolicyEdit,
    { by, now, admin }: { by: Actor; now: number; admin: PolicyAdmin | null },
  ): Promise<PolicyPreview | PolicyRefusal> {
    return this.#decide(await this.#records.policy(), edit, by, now, admin)
  }

  #decide(
    before: Policy,
    edit: PolicyEdit,
    by: Actor,
    now: number,
    admin: PolicyAdmin | null,
  ): PolicyPreview | PolicyRefusal {
    const { policy: after, events } = changePolicy(before, edit, by, now)
    const offered = { ...this.#offered, routes: this.#mountedRules.rules }
    return (
      policyRefusal(before, after, admin, offered) ?? { kind: 'preview', before, after, events }
    )
  }

  /** Announces that a change was refused. About no single user if `userId` is null. */
  refused(
    userId: string | null,
    requestInfo: RequestInfo,
    refusal: { readonly action: AdminAction; readonly code: string },
  ): Promise<void> {
    const event = { type: 'change-refused', method: null, detail: refusal } as const
    return this.#announcer.announce(userId, [event], requestInfo)
  }

  #change(
    change: AdminChange,
    decide: (userContext: UserContext, now: number) => Decision<AdminVerdict>,
  ): Promise<AdminAnswer> {
    return this.#changes.make(change, (userContext, now) => ({
      ...decide(userContext, now),
      result: undefined,
    }))
  }
}
