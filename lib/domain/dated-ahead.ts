import { isAhead } from '../factors/clock.js'
import { isDatedAhead } from '../factors/one-time-codes/kept.js'
import { dateMisses } from './attempts.js'
import { isMailResetAhead } from './mail-reset.js'
import { isPauseAhead, withoutPause } from './pause.js'
import type { SecondStepRecord } from './record.js'
import { setupStart } from './reset.js'
import { isSetupAhead } from './setup.js'
import { isGrantAhead } from './setup-grant.js'
import type { TrustedBrowser } from './trusted-browsers.js'

/**
 * The record without what a clock has dated ahead of this one. What opens something is over for
 * good: it is refused now, and would come alive when its time comes. What limits counts as now.
 *
 * @returns the same record where nothing is dated ahead
 */
export function settleAhead(record: SecondStepRecord, now: number): SecondStepRecord {
  const { attempts, mailReset, mustSetUp, oneTimeCodes } = record
  const { setup, setupGrant, trustedBrowsers } = record
  const unpaused = isPauseAhead(record, now) ? withoutPause(record) : record
  const changes = {
    ...(mailReset !== null && isMailResetAhead(mailReset, now) && { mailReset: null }),
    ...(setup !== null && isSetupAhead(setup, now) && { setup: null }),
    ...(setupGrant !== null && isGrantAhead(setupGrant, now) && { setupGrant: null }),
    // The user still has to set up: without the note, a policy could ask them for nothing.
    ...(mustSetUp !== null && isAhead(setupStart(mustSetUp), now) && { mustSetUp: { until: now } }),
    ...(oneTimeCodes.some((code) => isDatedAhead(code, now)) && {
      oneTimeCodes: oneTimeCodes.filter((code) => !isDatedAhead(code, now)),
    }),
    ...(trustedBrowsers.some((browser) => isTrustAhead(browser, now)) && {
      trustedBrowsers: trustedBrowsers
        .filter(({ createdAt }) => !isAhead(createdAt, now))
        .map((browser) => (isTrustAhead(browser, now) ? { ...browser, previous: null } : browser)),
    }),
    ...(attempts !== dateMisses(attempts, now) && { attempts: dateMisses(attempts, now) }),
  }
  return Object.keys(changes).length === 0 ? unpaused : { ...unpaused, ...changes }
}

/** Whether it was made ahead, or used: the secret of before that use would be good for a minute once more. */
function isTrustAhead({ createdAt, rotatedAt, previous }: TrustedBrowser, now: number): boolean {
  return isAhead(createdAt, now) || (previous !== null && isAhead(rotatedAt, now))
}
