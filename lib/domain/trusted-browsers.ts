import { isGoodUntil } from '../factors/clock.js'
import type { Decision } from './decision.js'
import type { SecondStepEvent } from './event.js'
import type { Policy } from './policy.js'
import type { SecondStepRecord } from './record.js'
import { DAY_MS, MINUTE_MS } from './units.js'

/**
 * A browser that may skip the second step for some days. Its cookie holds the id and a secret of 256
 * random bits, and this the secret's digest: bound to the user, the epoch and the expiry.
 */
export interface TrustedBrowser {
  readonly id: string
  /** Id of the key that the digest is made with. */
  readonly keyId: string
  readonly digest: string
  /** Digest of the secret before the last use, or null. */
  readonly previous: string | null
  /** The last use, in milliseconds. */
  readonly rotatedAt: number
  readonly createdAt: number
  /** In milliseconds. No use moves it. */
  readonly expiresAt: number
  /** The policy's version at that time. */
  readonly policyVersion: number
  /** The browser and its system, by names of ours. Null: unknown. */
  readonly name: string | null
}

/** How many a user has at most. One more takes the place of the oldest. */
export const TRUSTED_BROWSERS_AT_MOST = 10

/** The longest that a browser can be trusted, in days. */
export const TRUSTED_DAYS_AT_MOST = 14

/** Two requests of one browser may bring the same secret at once. */
const STILL_GOOD_FOR = MINUTE_MS

type PolicyNow = Pick<Policy, 'version'>

/** What says today which browsers are trusted. */
export interface TrustRules {
  readonly policy: PolicyNow
  readonly now: number
  /** Milliseconds that a browser is trusted at most, as the host says now. */
  readonly lasts: number
  /** Of the ring. */
  readonly keyIds: readonly string[]
}

/**
 * Whether a browser is still trusted. Any change of the policy ends that, since it may ask more than before.
 * Versions are compared, which no wrong clock can change.
 *
 * @param lasts milliseconds that a browser is trusted at most, as the host says now
 */
function isAlive(
  { createdAt, expiresAt, policyVersion }: TrustedBrowser,
  policy: PolicyNow,
  now: number,
  lasts = TRUSTED_DAYS_AT_MOST * DAY_MS,
): boolean {
  const end = Math.min(expiresAt, createdAt + lasts)
  return policyVersion === policy.version && isGoodUntil(end, end - createdAt, now)
}

/** The same of a browser that comes, whose secret only a key of the ring can judge. */
function isOfUse(browser: TrustedBrowser, { policy, now, lasts, keyIds }: TrustRules): boolean {
  return keyIds.includes(browser.keyId) && isAlive(browser, policy, now, lasts)
}

/** The browsers that are trusted now, each with the end of that as the host says now. */
export function trustedNow(
  { trustedBrowsers }: SecondStepRecord,
  rules: TrustRules,
): readonly TrustedBrowser[] {
  return trustedBrowsers
    .filter((browser) => isOfUse(browser, rules))
    .map((browser) => ({
      ...browser,
      expiresAt: Math.min(browser.expiresAt, browser.createdAt + rules.lasts),
    }))
}

/** Whether the browser of this id is trusted: a session that rests on it ends with it. */
export function isTrusted(
  { trustedBrowsers }: SecondStepRecord,
  id: string | undefined,
  policy: PolicyNow,
  now: number,
): boolean {
  return trustedBrowsers.some((browser) => browser.id === id && isAlive(browser, policy, now))
}

/** Trusts one more browser. */
export function trustBrowser(
  record: SecondStepRecord,
  made: TrustedBrowser,
  rules: TrustRules,
): Decision<undefined> {
  const alive = record.trustedBrowsers.filter((browser) => isOfUse(browser, rules))
  return {
    record: { ...record, trustedBrowsers: [...alive, made].slice(-TRUSTED_BROWSERS_AT_MOST) },
    answer: undefined,
    events: [eventOf('browser-trusted', made)],
  }
}

/**
 * What becomes of a cookie that is sent after the first step.
 *
 * - `trusted`, `trusted-again`: it is right, and the next secret takes its place; or it has just done so
 * - `over`: the browser is not trusted any more
 * - `reused`: a secret that has had its time. Two browsers have this cookie
 */
type TrustVerdict = 'trusted' | 'trusted-again' | 'over' | 'reused'

/**
 * Judges the secret of a cookie. A right one is exchanged in the same write, so that a copy is noticed: whoever
 * of the two comes second brings a secret of before, and that ends the trust for both. One that is over is forgotten,
 * so that nothing brings it back: a key of the ring, for example, that was removed and is there again.
 *
 * @param digests of the secret, one for each key of the ring
 */
export function judgeTrust(
  record: SecondStepRecord,
  browser: TrustedBrowser,
  given: {
    readonly digests: readonly string[]
    /** The secret that takes its place. */
    readonly next: Pick<TrustedBrowser, 'keyId' | 'digest'>
  },
  rules: TrustRules,
): Decision<TrustVerdict> {
  const { digests, next } = given
  const { now } = rules
  if (!isOfUse(browser, rules)) {
    return { record: without(record, browser), answer: 'over', events: [] }
  }
  if (digests.includes(browser.digest)) {
    const rotated = { ...browser, ...next, previous: browser.digest, rotatedAt: now }
    const trustedBrowsers = record.trustedBrowsers.map((one) => (one === browser ? rotated : one))
    return {
      record: { ...record, trustedBrowsers },
      answer: 'trusted',
      events: [eventOf('trusted-browser-used', browser)],
    }
  }
  const { previous, rotatedAt } = browser
  const isOfParallelRequest = isGoodUntil(rotatedAt + STILL_GOOD_FOR, STILL_GOOD_FOR, now)
  if (previous !== null && digests.includes(previous) && isOfParallelRequest) {
    return { record, answer: 'trusted-again', events: [] }
  }
  return {
    record: without(record, browser),
    answer: 'reused',
    events: [eventOf('trusted-browser-reused', browser)],
  }
}

/** Forgets one browser, or all. @param id null: all */
export function forgetTrusted(record: SecondStepRecord, id: string | null): Decision<undefined> {
  const gone = record.trustedBrowsers.filter((browser) => id === null || browser.id === id)
  if (gone.length === 0) return { record, answer: undefined, events: [] }
  return {
    record: {
      ...record,
      trustedBrowsers: record.trustedBrowsers.filter((one) => !gone.includes(one)),
    },
    answer: undefined,
    events: gone.map((browser) => eventOf('trusted-browser-forgotten', browser)),
  }
}

/**
 * The record without the browsers that the host has trusted for longer than it does now. The sessions that rest on
 * them end too, and a longer time later brings none back.
 *
 * @param lasts milliseconds; 0: the host trusts none
 */
export function dropShortenedTrust(
  record: SecondStepRecord,
  lasts: number,
  now: number,
): SecondStepRecord {
  const { trustedBrowsers } = record
  const left = trustedBrowsers.filter(
    // Those whose own time is over are of no use anyway, and worth no write.
    ({ createdAt, expiresAt }) => now < createdAt + lasts || expiresAt <= now,
  )
  return left.length === trustedBrowsers.length ? record : { ...record, trustedBrowsers: left }
}

/** The record without trusted browsers: for what changes a factor and leaves the sessions alone. */
export function withoutTrust(record: SecondStepRecord): SecondStepRecord {
  return record.trustedBrowsers.length === 0 ? record : { ...record, trustedBrowsers: [] }
}

function without(record: SecondStepRecord, browser: TrustedBrowser): SecondStepRecord {
  return { ...record, trustedBrowsers: record.trustedBrowsers.filter((one) => one !== browser) }
}

type TrustEvent =
  | 'browser-trusted'
  | 'trusted-browser-used'
  | 'trusted-browser-forgotten'
  | 'trusted-browser-reused'

function eventOf(type: TrustEvent, { name }: TrustedBrowser): SecondStepEvent {
  return { type, method: 'trusted-browser', detail: { browser: name } }
}
