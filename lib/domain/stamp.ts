import { isGoodUntil } from '../factors/clock.js'
import type { FactorMethod } from '../factors/factors.js'
import { shortDigest } from '../factors/short-digest.js'
import type { SecondStepRecord } from './record.js'
import { MINUTE_MS } from './units.js'

/**
 * How a second step was passed; `upstream`: at a sign-in provider; `trusted-browser`: by a code in an earlier
 * session; `none` where the user needed none.
 */
export type Method = FactorMethod | 'upstream' | 'trusted-browser' | 'none'

/** The proof in a signed-in session: who passed which step when. Times in milliseconds. */
export interface Stamp {
  readonly id: string
  readonly userId: string
  readonly epoch: number
  readonly method: Method
  /**
   * When the last code was accepted in this session; for `upstream`, when the provider authenticated the user; for
   * `none`, when it began.
   */
  readonly at: number
  /** The record's version when it was given; 0 in sessions of version 0.1.0. */
  readonly version: number
  /** Which of the host's Passport instances has signed the user in; 0 in sessions of version 0.1.0. */
  readonly instance: number
  /** As in `PendingLogin`. */
  readonly site?: string
  /** Of `upstream`: the provider's methods (RFC 8176) that the host believes. In the session beside the stamp. */
  readonly amr?: readonly string[]
  /** Of `upstream`: the provider, and its class of the authentication or null; beside the stamp likewise. */
  readonly issuer?: string
  readonly acr?: string | null
  /** Of the method `trusted-browser`: the id of that browser. The session ends with its trust. */
  readonly trust?: string
}

/** Whose stamp it is. */
export type StampOwner = Pick<Stamp, 'userId' | 'instance'>

/** The record's epoch and version when a stamp is given. */
export type Generation = Pick<SecondStepRecord, 'epoch' | 'version'>

/** A stamp that was logged out, or renewed, before its session could be sure to be gone. */
export interface EndedStamp {
  readonly id: string
  /** The record's version when it was logged out or renewed. */
  readonly version: number
  /** Of a renewed one: the version from which on it is good. */
  readonly goodFrom?: number
}

/**
 * What stands for the stamp of a session that has none: it is older than the package. Every request finds the
 * same one, so a log-out ends the session for good, also where a slow request writes it back.
 *
 * @param sessionId its hash is the stamp's id, since ids of sessions sign in and are in no record
 */
export function unwrittenStamp(sessionId: string, userId: string): Stamp {
  return {
    id: shortDigest(sessionId),
    userId,
    epoch: 0,
    method: 'none',
    at: 0,
    version: 0,
    instance: 0,
  }
}

/** How many ended stamps a record has at most. */
export const ENDED_AT_MOST = 50
const FRESH_FOR = 5 * MINUTE_MS

const WITHOUT_A_CODE: readonly Method[] = ['none', 'upstream', 'trusted-browser']

/** Whether the user has given a code, or a key's answer, in this session. */
export function isByCode({ method }: Stamp): boolean {
  return !WITHOUT_A_CODE.includes(method)
}

/** The end of the time in which the stamp's code counts as fresh. Null if no code was given. */
export function freshUntil(stamp: Stamp): number | null {
  return isByCode(stamp) ? stamp.at + FRESH_FOR : null
}

/** Whether a code was given with the stamp within the last five minutes. */
export function isFresh(stamp: Stamp | null, now: number): boolean {
  const until = stamp === null ? null : freshUntil(stamp)
  return until !== null && isGoodUntil(until, FRESH_FOR, now)
}

/**
 * Puts a stamp on the record's list of ended ones. A set-up that its session began ends with it.
 * Beyond 50 stamps the list drops the oldest, and then every stamp given before that one's log-out
 * is over. This compares versions of the record, which no wrong clock can change. Later sessions
 * continue.
 */
export function endStamp(record: SecondStepRecord, id: string): SecondStepRecord {
  const setup = record.setup?.owner === id ? null : record.setup
  return { ...withEnded(record, { id, version: record.version }), setup }
}

/**
 * Ends what holds the stamp as it was given so far: the session has a new id, and a slow request may write
 * the old one back. The stamp stays one entry of the list, however often it is renewed.
 */
export function renewStamp(record: SecondStepRecord, id: string): SecondStepRecord {
  const { version } = record
  return withEnded(record, { id, version, goodFrom: renewedVersion(record) })
}

/** The version of a stamp that is renewed with the record's next write. */
export function renewedVersion({ version }: Pick<SecondStepRecord, 'version'>): number {
  return version + 1
}

function withEnded(record: SecondStepRecord, stamp: EndedStamp): SecondStepRecord {
  const all = [...record.ended.filter(({ id }) => id !== stamp.id), stamp]
  const forgotten = all.slice(0, -ENDED_AT_MOST).map((ended) => ended.version)
  const endedUpTo =
    forgotten.length === 0 ? record.endedUpTo : Math.max(record.endedUpTo ?? 0, ...forgotten)
  return { ...record, ended: all.slice(-ENDED_AT_MOST), endedUpTo }
}

/** Whether a stamp was logged out, or is the one of before a renewal. */
export function isEnded(
  { ended, endedUpTo }: SecondStepRecord,
  { id, version }: Pick<Stamp, 'id' | 'version'>,
): boolean {
  const isOver = ({ goodFrom }: EndedStamp) => goodFrom === undefined || version < goodFrom
  return (
    (endedUpTo !== null && version <= endedUpTo) ||
    ended.some((stamp) => stamp.id === id && isOver(stamp))
  )
}

/**
 * Ends every session, pending login, set-up in progress, reset by mail and trusted browser, because those
 * of older epochs are invalid.
 */
export function raiseEpoch(record: SecondStepRecord): SecondStepRecord {
  const inProgress = { setup: null, setupGrant: null, mailReset: null }
  const ended = { ...inProgress, ended: [], endedUpTo: null, endedLogins: [], trustedBrowsers: [] }
  return { ...record, ...ended, epoch: record.epoch + 1 }
}
