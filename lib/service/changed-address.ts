import { endMailReset, type MailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import { NO_REQUEST } from './announcer.js'
import type { MailResetTokens } from './mail-reset-tokens.js'
import type { Records } from './records.js'

/**
 * Ends the user's reset by mail for good, if there is one, because the host says that the address
 * changed.
 */
export function emailChanged(records: Records, userId: string): Promise<void> {
  return endReset(records, userId, () => true)
}

/**
 * Ends a reset by mail if the user's address has changed since. For good: its link must not work
 * again when the address is changed back.
 */
export class ChangedAddress {
  readonly #records: Records
  readonly #tokens: MailResetTokens

  constructor({ records, tokens }: { records: Records; tokens: MailResetTokens }) {
    this.#records = records
    this.#tokens = tokens
  }

  /** Whether the record has a reset that was asked for at another address. */
  async isOf({ userId, mailReset }: SecondStepRecord, email: string | null): Promise<boolean> {
    return mailReset !== null && !(await this.#tokens.isFor(email, userId, mailReset))
  }

  /** Ends this reset alone. A newer one continues. */
  async end({ userId, mailReset }: SecondStepRecord): Promise<void> {
    await endReset(this.#records, userId, ({ id }) => id === mailReset?.id)
  }
}

function endReset(
  records: Records,
  userId: string,
  isMeant: (reset: MailReset) => boolean,
): Promise<void> {
  return records.change(userId, NO_REQUEST, (record, now) => {
    const { mailReset } = record
    return mailReset !== null && isMeant(mailReset)
      ? { ...endMailReset(record, now), answer: undefined }
      : { record, answer: undefined, events: [] }
  })
}
