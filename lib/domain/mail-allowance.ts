import { DAY_MS, HOUR_MS, MINUTE_MS } from './units.js'

/** How many reset mails a user may get in a window, which begins with its first mail. */
export interface MailWindow {
  /** Milliseconds. */
  readonly lasts: number
  readonly limit: number
}

/** The shortest first. */
export const MAIL_WINDOWS = {
  'reset-mails-2-minutes': { lasts: 2 * MINUTE_MS, limit: 1 },
  'reset-mails-hour': { lasts: HOUR_MS, limit: 3 },
  'reset-mails-day': { lasts: DAY_MS, limit: 5 },
} as const satisfies Readonly<Record<string, MailWindow>>

/** What happens to the last of several requests for a mail, if they named the right address. */
export interface MailAllowance {
  /** Whether the limits hold its mail back. */
  readonly heldBack: boolean
  /** When the limits let the next mail go, in milliseconds. */
  readonly nextAt: number
}

/**
 * Computes the limits of reset mails for requests that named one address. It uses only the
 * requests, so the result is the same for a right and a wrong address (promise 4).
 *
 * @param asked when, in milliseconds, the earliest first
 */
export function mailAllowance(asked: readonly number[]): MailAllowance {
  const mailed: number[] = []
  let heldBack = false
  for (const at of asked) {
    heldBack = at < nextMailAt(mailed)
    if (!heldBack) mailed.push(at)
  }
  return { heldBack, nextAt: nextMailAt(mailed) }
}

function nextMailAt(mailed: readonly number[]): number {
  return Math.max(0, ...Object.values(MAIL_WINDOWS).map((window) => freeAt(mailed, window)))
}

/** When the window has room for one more mail. 0: it always had room. */
function freeAt(mailed: readonly number[], { lasts, limit }: MailWindow): number {
  let [began, count] = [Number.NEGATIVE_INFINITY, 0]
  for (const at of mailed) {
    if (at >= began + lasts) [began, count] = [at, 0]
    count += 1
  }
  return count < limit ? 0 : began + lasts
}
