import { DAY_MS } from '../domain/units.js'
import type { Account } from './accounts.js'

/** What the host says of a user whose second step may be reset by mail. */
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
 * Until when the host holds a user's reset back: a year at most, then it is asked again. Hosts say
 * "for good" by a date beyond which there is none.
 */
export async function heldUntilOf(user: MailResetUser, now: number): Promise<number> {
  return Math.min(await user.heldUntil(), now + LONGEST_HOLD)
}
