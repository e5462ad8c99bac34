import { dropMailReset, endMailReset, type MailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { NO_REQUEST } from './announcer.js'
import type { FailureReporter } from './failure-reporter.js'
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
  readonly #failureReporter: FailureReporter

  constructor(parts: {
    records: Records
    tokens: MailResetTokens
    failureReporter: FailureReporter
  }) {
    this.#records = parts.records
    this.#tokens = parts.tokens
    this.#failureReporter = parts.failureReporter
  }

  /** Whether it is certain that the record's reset was asked for at another address. */
  async isOf(record: SecondStepRecord, email: string | null): Promise<boolean> {
    return (await this.#addressOf(record, email)) === 'moved'
  }

  /**
   * Ends a reset that is not for this address. Where its key is gone, nobody can tell: it is over too, but nobody is
   * told of a change.
   *
   * @returns whether it may go on
   */
  async endUnlessSame(record: SecondStepRecord, email: string | null): Promise<boolean> {
    const found = await this.#addressOf(record, email)
    if (found === 'moved') await this.end(record)
    if (found === 'unknown') await this.#drop(record)
    return found === 'same'
  }

  #addressOf({ userId, mailReset }: SecondStepRecord, email: string | null) {
    return mailReset === null ? 'same' : this.#tokens.addressOf(email, userId, mailReset)
  }

  /** Ends this reset alone. A newer one continues. */
  async end({ userId, mailReset }: SecondStepRecord): Promise<void> {
    await endReset(this.#records, userId, ({ id }) => id === mailReset?.id)
  }

  async #drop({ userId, mailReset }: SecondStepRecord): Promise<void> {
    if (mailReset === null) return
    this.#failureReporter.report(keyGone(mailReset))
    await this.#records.change(userId, NO_REQUEST, (record) => ({
      record: dropMailReset(record, mailReset.id),
      answer: undefined,
      events: [],
    }))
  }
}

/** What the operator is told of a reset whose key has left the ring. */
export function keyGone({ keyId }: Pick<MailReset, 'keyId'>): ConfigurationError {
  return new ConfigurationError(
    `a reset by mail is over before its time, because \`keys\` do not have its key ${keyId} any more: the user has to ` +
      'ask again. Keep a key until `check` shows that nothing needs it',
  )
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
