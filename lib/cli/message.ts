import { UnavailableError } from '../errors/unavailable-error.js'

const LONGEST = 400

/**
 * An error in one line: what does not answer, and why. Cut short, because a database driver repeats
 * its statement, whole record and all, before it says what was wrong.
 */
export function messageOf(error: unknown): string {
  const parts = error instanceof UnavailableError ? [error, error.cause] : [error]
  return parts.map(textOf).join(': ')
}

function textOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ')
  const half = LONGEST / 2
  return text.length <= LONGEST ? text : `${text.slice(0, half)} … ${text.slice(-half)}`
}
