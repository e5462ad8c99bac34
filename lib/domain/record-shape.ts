import { isBackupCodeSet } from '../factors/backup-codes/kept.js'
import { count, flag, listOf, orNull, shape, text } from '../factors/checks.js'
import { isAuthenticator, isUnproven } from '../factors/factors.js'
import { isOneTimeCodes } from '../factors/one-time-codes/kept.js'
import { AUTHENTICATORS_AT_MOST } from './authenticators.js'
import { ENDED_LOGINS_AT_MOST } from './pending-login.js'
import { isReplaced } from './setup-place.js'
import { ENDED_AT_MOST } from './stamp.js'
import { TRUSTED_BROWSERS_AT_MOST } from './trusted-browsers.js'
import { USED_CHALLENGES_AT_MOST } from './used-challenges.js'

const begunSetup = shape({
  owner: text,
  startedAt: count,
  misses: count,
  replaces: isReplaced,
})

const grant = shape({ owner: text, until: count })

const trustedBrowser = shape({
  id: text,
  keyId: text,
  digest: text,
  previous: orNull(text),
  rotatedAt: count,
  createdAt: count,
  expiresAt: count,
  policyVersion: count,
  name: orNull(text),
})

const stamp = shape({ id: text, version: count })

function isEndedStamp(value: unknown): boolean {
  if (!stamp(value)) return false
  const { goodFrom = 0 } = value as { goodFrom?: unknown }
  return count(goodFrom)
}

function isMustSetUp(value: unknown): boolean {
  if (!shape({ until: count })(value)) return false
  const { from = 0 } = value as { from?: unknown }
  return count(from)
}

const hasMembers = shape({
  userId: text,
  version: count,
  writeId: text,
  epoch: count,
  authenticators: listOf(isAuthenticator, AUTHENTICATORS_AT_MOST),
  setup: orNull((value) => isUnproven(value) && begunSetup(value) && knowsPolicy(value)),
  mustSetUp: orNull(isMustSetUp),
  backupCodes: orNull(isBackupCodeSet),
  oneTimeCodes: isOneTimeCodes,
  setupGrant: orNull((value) => grant(value) && knowsPolicy(value)),
  mailReset: orNull(
    shape({
      id: text,
      keyId: orNull(text),
      addressDigest: text,
      digests: listOf(text),
      askedAt: count,
      usableAt: count,
      expiresAt: count,
      readyTold: flag,
      ip: orNull(text),
      userAgent: orNull(text),
    }),
  ),
  attempts: shape({ misses: listOf(count), consecutive: count }),
  lockedUntil: orNull(count),
  pausedUntil: orNull(count),
  ruleStart: orNull(count),
  passwordChangedAt: orNull(count),
  ended: listOf(isEndedStamp, ENDED_AT_MOST),
  endedUpTo: orNull(count),
  endedLogins: listOf(shape({ id: text, until: count }), ENDED_LOGINS_AT_MOST),
  usedChallenges: listOf(shape({ digest: text, until: count }), USED_CHALLENGES_AT_MOST),
  trustedBrowsers: listOf(trustedBrowser, TRUSTED_BROWSERS_AT_MOST),
})

/** Whether a value has all that a record has. */
export function isRecord(value: unknown): boolean {
  return hasMembers(value) && isCountIfThere(Object(value), 'pausedFrom')
}

/** Or does not know it, as one from before it was noted. */
function knowsPolicy(begun: unknown): boolean {
  return isCountIfThere(Object(begun), 'policy')
}

function isCountIfThere(holder: object, name: string): boolean {
  return !Object.hasOwn(holder, name) || count(Reflect.get(holder, name))
}
