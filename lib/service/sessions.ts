import { noAttempts } from '../domain/attempts.js'
import { settleAhead } from '../domain/dated-ahead.js'
import { endHeld, type HeldLogin } from '../domain/held-login.js'
import { endMailReset } from '../domain/mail-reset.js'
import { dropLockAhead } from '../domain/miss-budget.js'
import { clearsMisses } from '../domain/password-change.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { Policy, Subject } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import {
  type Generation,
  type Method,
  raiseEpoch,
  type Stamp,
  type StampOwner,
} from '../domain/stamp.js'
import { type Admission, noteRule, stillAdmitted, type UserContext } from '../domain/standing.js'
import { dropShortenedTrust } from '../domain/trusted-browsers.js'
import type { System } from '../ports/system.js'
import { NO_REQUEST, type RequestInfo } from './announcer.js'
import type { KeptLooks, Look } from './kept-looks.js'
import { hasRulesOfRoles, type KnownUsers } from './known-users.js'
import type { Records } from './records.js'
import { SharedRead } from './shared-read.js'

/** Looks up the subject of the policy's rules. Null if the host has no such user. */
export type FindSubject = (userId: string) => Promise<Subject | null>

/** A signed-in session, with the admission of its request. */
export interface NamedSession extends UserContext {
  readonly userId: string
  readonly stamp: Stamp | null
}

function isStillSignedIn(
  { userId, stamp, policy, subject }: NamedSession,
  record: SecondStepRecord,
  now: number,
): boolean {
  return stillAdmitted({ kind: 'signed-in', userId, stamp }, { record, policy, subject }, now)
}

interface Settings {
  /** Needed where roles have rules of their own. */
  readonly knownUsers?: KnownUsers | null
  /** Of TOTP, in steps. Default: 1. */
  readonly window?: number
  /** Null: the guard reads at every request. */
  readonly keptLooks?: KeptLooks | null
  /** Of the site, as in `PendingLogin`; the first is written. */
  readonly names?: readonly string[]
  /** Milliseconds that a browser is trusted. 0: no browser is. */
  readonly trustLasts?: number
  /** Whether a sign-in provider may stand for the code. Default: false. */
  readonly byProvider?: boolean
}

/** Begins and ends stamps and pending logins. */
export class Sessions {
  readonly #records: Records
  readonly #system: System
  readonly #knownUsers: KnownUsers | null
  readonly #window: number
  readonly #keptLooks: KeptLooks | null
  readonly #site: string
  readonly #names: ReadonlySet<string>
  readonly #trustLasts: number
  readonly #byProvider: boolean
  readonly #policy: SharedRead<Policy>

  constructor(records: Records, system: System, settings: Settings = {}) {
    const { knownUsers = null, window = 1, keptLooks = null, names = [] } = settings
    const { trustLasts = 0, byProvider = false } = settings
    this.#site = names[0] ?? ''
    this.#names = new Set([this.#site, ...names])
    this.#keptLooks = keptLooks
    this.#records = records
    this.#policy = new SharedRead(() => records.policy())
    this.#window = window
    this.#system = system
    this.#knownUsers = knownUsers
    this.#trustLasts = trustLasts
    this.#byProvider = byProvider
  }

  /**
   * The user's record and the policy, read anew. A rule that begins to require a
   * second step of the user is noted in the record, once. What a clock has dated ahead is taken out, and browsers
   * that the host trusts no more.
   *
   * @param claimed what the session's user says. While roles have rules it is looked up anew: roles
   *   that were taken away must not live on in a session
   */
  async userContext(userId: string, claimed: Subject): Promise<UserContext> {
    const look = await this.#records.read(userId)
    return this.#settled(await this.#contextOf(look, userId, claimed))
  }

  /** Whether the guard may go by what it has read a moment ago. */
  get keepsLooks(): boolean {
    return this.#keptLooks !== null
  }

  /** As `userContext`, for the guard alone: what was read is kept for its next looks, if it may be. */
  async guardContext(userId: string, claimed: Subject): Promise<UserContext> {
    const read = () => this.#records.read(userId)
    const look = await (this.#keptLooks?.read(userId, read) ?? read())
    return this.#settled(await this.#contextOf(look, userId, claimed))
  }

  /**
   * The same from what is kept, for the guard alone: at once, or where roles have rules, once the user
   * store has said which this user has. Null where it must be read anew, or noted.
   */
  keptContext(userId: string, claimed: Subject): UserContext | null | Promise<UserContext | null> {
    const look = this.#keptLooks?.find(userId) ?? null
    if (look === null) return null
    const context = this.#contextOf(look, userId, claimed)
    return context instanceof Promise
      ? context.then((known) => this.#unlessUnsettled(known))
      : this.#unlessUnsettled(context)
  }

  #unlessUnsettled(userContext: UserContext): UserContext | null {
    return this.#isSettled(userContext) ? userContext : null
  }

  /** At once, unless roles have rules: this is for each request. */
  #contextOf(
    { record, policy }: Look,
    userId: string,
    claimed: Subject,
  ): UserContext | Promise<UserContext> {
    if (this.#knownUsers === null || !hasRulesOfRoles(policy)) {
      return { record, policy, subject: claimed }
    }
    return this.#knownUsers
      .find(userId)
      .then((known) => ({ record, policy, subject: known.subject(policy, claimed) }))
  }

  /**
   * The same, of somebody whose first step is right. The host's user store is asked in any case whose id this is:
   * a name as it was typed must not pass for the user whom it finds.
   *
   * @throws ConfigurationError where it finds another user; UnavailableError where it cannot say
   */
  async userContextAtLogin(userId: string, claimed: Subject): Promise<UserContext> {
    const [{ record, policy }, known] = await Promise.all([
      this.#records.read(userId, { atLogin: true }),
      this.#knownUsers?.findAtLogin(userId),
    ])
    return this.#settled({ record, policy, subject: known?.subject(policy, claimed) ?? claimed })
  }

  #settled(userContext: UserContext): UserContext | Promise<UserContext> {
    return this.#isSettled(userContext) ? userContext : this.#settle(userContext)
  }

  #isSettled(userContext: UserContext): boolean {
    return this.#settledRecord(userContext, this.#system.now()) === userContext.record
  }

  #settledRecord(userContext: UserContext, now: number): SecondStepRecord {
    const noted = dropShortenedTrust(noteRule(userContext, now), this.#trustLasts, now)
    return dropLockAhead(settleAhead(noted, now), this.#window, now)
  }

  async #settle(userContext: UserContext): Promise<UserContext> {
    const { record, policy, subject } = userContext
    const settled = await this.#records.change(
      record.userId,
      NO_REQUEST,
      (current, now) => {
        const next = this.#settledRecord({ record: current, policy, subject }, now)
        return { record: next, answer: next, events: [] }
      },
      record,
    )
    // The version has changed. A change based on the old one reads again by itself.
    return { ...userContext, record: settled }
  }

  /** The user's record alone, read anew. */
  record(userId: string): Promise<SecondStepRecord> {
    return this.#records.find(userId)
  }

  /** The policy, read anew: once for all who ask in the same turn of the event loop. */
  policy(): Promise<Policy> {
    return this.#policy.read()
  }

  /** The stamp of a session in which the second step was just passed, or is not needed. */
  stamp({ userId, instance }: StampOwner, { epoch, version }: Generation, method: Method): Stamp {
    const site = this.#site
    return {
      id: this.#id(),
      userId,
      epoch,
      method,
      at: this.#system.now(),
      version,
      instance,
      site,
    }
  }

  /** The pending login of somebody who has just passed the first step. */
  pending(first: Omit<PendingLogin, 'id' | 'at' | 'site'>): PendingLogin {
    return { ...first, id: this.#id(), at: this.#system.now(), site: this.#site }
  }

  /** Whether this site, or a version that did not say, has begun it. */
  hasBegun({ site }: Pick<Stamp, 'site'>): boolean {
    return site === undefined || this.#names.has(site)
  }

  /**
   * Ends one session or pending login for good, even if a slow request writes it back.
   *
   * @param known the user's record as this request has already read it
   * @returns whether it was good until then
   */
  end(held: HeldLogin, requestInfo: RequestInfo, known?: SecondStepRecord): Promise<boolean> {
    const { kind, login } = held
    return this.#records.change(
      login.userId,
      requestInfo,
      (record, now) => {
        const ended = endHeld(record, held, now)
        const wasGood = ended !== record
        return {
          record: ended,
          answer: wasGood,
          events: wasGood && kind === 'stamp' ? [{ type: 'logged-out', method: login.method }] : [],
        }
      },
      known,
    )
  }

  /** Ends every session and pending login of the user. */
  async endAll(userId: string): Promise<void> {
    await this.#records.change(userId, NO_REQUEST, (record) => ({
      record: raiseEpoch(record),
      answer: undefined,
      events: [{ type: 'sessions-ended', method: null }],
    }))
  }

  /**
   * A changed password ends every session and pending login of the user, and clears misses, waits and
   * lock where no guesser can have changed it. A reset by mail that waits ends too; changing the
   * password is what its mail moves an owner to who has not asked for it.
   *
   * @param named a session of the user's that is to live on
   * @returns its new stamp, as fresh as the old one; null where there is none, or it was ended by now
   */
  async passwordChanged(
    userId: string,
    named: NamedSession | null,
  ): Promise<{ readonly stamp: Stamp | null; readonly record: SecondStepRecord }> {
    const policy = await this.policy()
    const byProvider = this.#byProvider
    return this.#records.change(userId, NO_REQUEST, (record, now) => {
      const { events, record: withoutReset } = endMailReset(record, now)
      const lives = named !== null && isStillSignedIn(named, record, now)
      const given = lives ? named.stamp : null
      const clears = clearsMisses({ record, policy, stamp: given, byProvider, now })
      const attempts = clears ? noAttempts : record.attempts
      const next = { ...raiseEpoch(withoutReset), attempts, passwordChangedAt: null }
      const { method = 'none', at = now, instance = 0 } = named?.stamp ?? {}
      const stamp = lives ? { ...this.stamp({ userId, instance }, next, method), at } : null
      return {
        record: next,
        answer: { stamp, record: next },
        events: [{ type: 'password-changed', method: null }, ...events],
      }
    })
  }

  /**
   * Records that the user has saved the backup codes. Ignored from a session that was ended
   * meanwhile.
   */
  async backupCodesSaved(
    userId: string,
    requestInfo: RequestInfo,
    {
      admission,
      policy,
      subject,
    }: { admission: Admission } & Pick<UserContext, 'policy' | 'subject'>,
  ): Promise<'saved' | 'sign-in-again'> {
    return this.#records.change(userId, requestInfo, (record, now) => {
      const { backupCodes } = record
      if (!stillAdmitted(admission, { record, policy, subject }, now)) {
        return { record, answer: 'sign-in-again', events: [] }
      }
      if (backupCodes === null || backupCodes.saved) return { record, answer: 'saved', events: [] }
      return {
        record: { ...record, backupCodes: { ...backupCodes, saved: true } },
        answer: 'saved',
        events: [{ type: 'backup-codes-saved', method: null }],
      }
    })
  }

  #id(): string {
    return Buffer.from(this.#system.random(16)).toString('base64url')
  }
}
