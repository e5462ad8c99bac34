import { isAhead, isGoodUntil } from '../factors/clock.js'
import { PENDING_LASTS } from './pending-login.js'
import type { SecondStepRecord } from './record.js'

/** The pending login in which a one-time code was used: it may set up, and no other. */
export interface SetupGrant {
  /** Id of the pending login. */
  readonly owner: string
  /** Milliseconds. */
  readonly until: number
  /** Version of the policy by which it was granted. Missing: from before it was noted. */
  readonly policy?: number
}

/** Whether this pending login may set up because of a one-time code. */
export function isGranted(
  { setupGrant }: Pick<SecondStepRecord, 'setupGrant'>,
  owner: string,
  now: number,
): boolean {
  return (
    setupGrant !== null &&
    setupGrant.owner === owner &&
    isGoodUntil(setupGrant.until, PENDING_LASTS, now)
  )
}

/** When it was granted, in milliseconds. */
export function grantedAt({ until }: SetupGrant): number {
  return until - PENDING_LASTS
}

/** Whether a clock that is ahead has granted it. */
export function isGrantAhead(grant: SetupGrant, now: number): boolean {
  return isAhead(grantedAt(grant), now)
}
