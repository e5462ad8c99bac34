import type { BackupCodeSet } from '../factors/backup-codes/kept.js'
import type { Authenticator } from '../factors/factors.js'
import type { OneTimeCode } from '../factors/one-time-codes/kept.js'
import type { Attempts } from './attempts.js'
import type { MailReset } from './mail-reset.js'
import type { EndedLogin } from './pending-login.js'
import type { MustSetUp } from './reset.js'
import type { SetupInProgress } from './setup.js'
import type { SetupGrant } from './setup-grant.js'
import type { EndedStamp } from './stamp.js'
import type { TrustedBrowser } from './trusted-browsers.js'
import type { UsedChallenge } from './used-challenges.js'

/**
 * Everything durable about one user's second step: one plain object, changed by compare-and-set
 * only. SQL databases and memory keep it as JSON, Redis as bytes (`encodeRecord`). Times are milliseconds since 1970 (UTC).
 */
export interface SecondStepRecord {
  /** The host's id of the user, as a string. */
  readonly userId: string
  /** 0 for a user who has no stored record; each write raises it by one. */
  readonly version: number
  /**
   * Name of the write that made this version: a random one, and short names of the writes before it.
   * Identifies a write that was sent again or took place late.
   */
  readonly writeId: string
  /** Raised to end every session and pending login of the user. */
  readonly epoch: number
  /** The user's authenticators: at most ten. Empty if the user is not enrolled. */
  readonly authenticators: readonly Authenticator[]
  readonly setup: SetupInProgress | null
  /** After a reset: the user must set up an authenticator by this time. */
  readonly mustSetUp: MustSetUp | null
  readonly backupCodes: BackupCodeSet | null
  /** Codes that an admin has made for one login each. */
  readonly oneTimeCodes: readonly OneTimeCode[]
  /** The pending login that may set up because of a one-time code, or null. */
  readonly setupGrant: SetupGrant | null
  /** A reset by mail that was asked for and is neither done nor cancelled, or null. */
  readonly mailReset: MailReset | null
  /** Wrong codes of the authenticator. Backup codes have 120 bits and are not counted here. */
  readonly attempts: Attempts
  /**
   * The end of the authenticator's lock as of this write, or null. Derived from `attempts`, so that
   * a store can list locked users. No decision uses it.
   */
  readonly lockedUntil: number | null
  /** The end of the pause. `Number.MAX_SAFE_INTEGER`: until resumed. Null: not paused. */
  readonly pausedUntil: number | null
  /** The beginning of a pause with an end. Missing: there is none, or nobody noted it. */
  readonly pausedFrom?: number
  /**
   * Start of the first rule that required a second step of this user, or null. Days of grace count
   * from it. It never moves later, whatever happens to the rule.
   */
  readonly ruleStart: number | null
  /**
   * In records of version 0.1.0: when the host last reported a changed password. Everything that
   * began before is over. Today a changed password raises the epoch instead, and this is null.
   */
  readonly passwordChangedAt: number | null
  /** Stamps that were logged out. Kept because a slow request may write their session back. */
  readonly ended: readonly EndedStamp[]
  /**
   * Every stamp given up to this version of the record is over, because `ended` was full and
   * dropped some. Null if it has dropped none.
   */
  readonly endedUpTo: number | null
  /** Pending logins that were cancelled or used up, while their ten minutes last. */
  readonly endedLogins: readonly EndedLogin[]
  /** Challenges that a key of the user has answered, right or wrong, while their time lasts. */
  readonly usedChallenges: readonly UsedChallenge[]
  /** Browsers that may skip the second step for some days, the earliest first. */
  readonly trustedBrowsers: readonly TrustedBrowser[]
}

/** The record of a user about whom nothing was ever stored. */
export function blankRecord(userId: string): SecondStepRecord {
  return {
    userId,
    version: 0,
    writeId: '',
    epoch: 0,
    authenticators: [],
    setup: null,
    mustSetUp: null,
    backupCodes: null,
    oneTimeCodes: [],
    setupGrant: null,
    mailReset: null,
    attempts: { misses: [], consecutive: 0 },
    lockedUntil: null,
    pausedUntil: null,
    ruleStart: null,
    passwordChangedAt: null,
    ended: [],
    endedUpTo: null,
    endedLogins: [],
    usedChallenges: [],
    trustedBrowsers: [],
  }
}
