import { DAY_MS } from '../domain/units.js'
import type { Account } from './accounts.js'

/** The host's information about a user whose second step may be reset by mail. */
export interface MailResetUser {
  readonly account: Account
  /** @throws UnavailableError where the host cannot say */
  allowed(): Promise<boolean>
  /**
   * Until when the host holds the reset back, in milliseconds; 0: it does not.
   *
   * @throws UnavailableError where the host cannot say
   */
  heldUntil(): Promise<number>
}

/**
 * Looks up a user; null where there is none any more.
 *
 * @throws UnavailableError where it cannot be known
 */
export type FindMailResetUser = (userId: string) => Promise<MailResetUser | null>

const LONGEST_HOLD = 365 * DAY_MS

/**
 * The end of the host's hold on a user's reset: a year at most, then the host is asked again. Hosts
 * express "for good" by a date in the far future.
 */
export async function heldUntilOf(user: MailResetUser, now: number): Promise<number> {
  return Math.min(await user.heldUntil(), now + LONGEST_HOLD)
}
