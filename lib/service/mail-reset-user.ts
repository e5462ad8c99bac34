import type { Addressee } from './mails.js'

/** What the host says of a user whose second step may be reset by mail. */
export interface MailResetUser {
  readonly addressee: Addressee
  /** @throws UnavailableError where the host cannot say */
  allowed(): Promise<boolean>
  /**
   * Until when the host holds his reset back, in milliseconds; 0: it does not.
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
