import { SECOND_MS } from '../domain/units.js'
import type { RecordStore } from '../ports/record-store.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { Audit } from './audit.js'
import type { ChangeNews } from './change-news.js'
import type { EarlyKeyCheck } from './early-key-check.js'
import type { GuessWarnings } from './guess-warnings.js'
import type { Lost } from './lost.js'
import type { Mails } from './mails.js'
import type { Measurements } from './measurements.js'
import type { Overview } from './overview.js'
import type { PolicyCounts } from './policy-count.js'
import type { ReadyMailResets } from './ready-mail-resets.js'
import type { Records } from './records.js'
import type { Reminders } from './reminders.js'
import type { Tally } from './tally.js'

/** What runs in the background, or is owed to somebody. Null: this app has none. */
export interface ClosingParts {
  readonly readyMailResets: Pick<ReadyMailResets, 'stop'> | null
  readonly reminders: Pick<Reminders, 'stop'> | null
  readonly earlyKeyCheck: Pick<EarlyKeyCheck, 'stop'> | null
  readonly overview: Pick<Overview, 'stop'> | null
  readonly policyCounts: Pick<PolicyCounts, 'stop'> | null
  readonly lost: Pick<Lost, 'settled'> | null
  readonly records: Pick<Records, 'settle'>
  readonly audit: Pick<Audit, 'settle'>
  readonly tally: Pick<Tally, 'settle'>
  readonly changeNews: Pick<ChangeNews, 'close'> | null
  readonly guessWarnings: Pick<GuessWarnings, 'settled'> | null
  readonly mails: Pick<Mails, 'settled'> | null
  readonly measurements: Pick<Measurements, 'stop'> | null
  readonly store: Pick<RecordStore, 'close'>
  /** Milliseconds that the store may take to close. */
  readonly timeout: number
  /** Milliseconds that everything before it may take. Default 20 000. */
  readonly patience?: number
}

const PATIENCE = 20 * SECOND_MS

/**
 * Ends an app's second step: settles what is under way, then closes the store. What is still under way when the time is
 * over is given up with a process warning. A further call settles what was begun since, and closes nothing again.
 *
 * @returns rejects with UnavailableError where the store does not close
 */
export function closing(parts: ClosingParts): () => Promise<void> {
  const { changeNews, measurements, store, timeout, patience = PATIENCE } = parts
  let closed: Promise<void> | null = null
  return async () => {
    const isSettled = await within(patience, settle(parts))
    // A listening connection keeps the process alive, whatever came before it and hangs.
    void changeNews?.close()
    if (!isSettled) {
      const seconds = patience / SECOND_MS
      process.emitWarning(
        `passport-second-step: close() has given up what was still under way after ${seconds} s`,
      )
    }
    closed ??= withTimeout('the record store', async () => store.close?.(), timeout).finally(() =>
      measurements?.stop(),
    )
    return closed
  }
}

/** In this order: each may begin what a later one waits for. */
async function settle(parts: ClosingParts): Promise<void> {
  const { readyMailResets, reminders, earlyKeyCheck, overview, policyCounts } = parts
  const background = [readyMailResets, reminders, earlyKeyCheck, overview, policyCounts]
  await Promise.all(background.map((part) => part?.stop()))
  await parts.lost?.settled()
  await parts.records.settle()
  await parts.audit.settle()
  await parts.tally.settle()
  await parts.changeNews?.close()
  await parts.guessWarnings?.settled()
  await parts.mails?.settled()
}

/** @returns whether the work was done in time */
async function within(milliseconds: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return Promise.race([work.then(() => true), over]).finally(() => clearTimeout(timer))
}
