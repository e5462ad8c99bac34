import { textOf } from '../errors/text-of.js'
import { UnavailableError } from '../errors/unavailable-error.js'

const LONGEST = 400

/**
 * An error in one line: what does not answer, and why. Cut short, because a database driver repeats
 * its statement, whole record and all, before it says what was wrong.
 */
export function messageOf(error: unknown): string {
  const parts = error instanceof UnavailableError ? [error, error.cause] : [error]
  return parts.map(shortTextOf).join(': ')
}

function shortTextOf(error: unknown): string {
  const text = withoutPasswords(textOf(error).replace(/\s+/g, ' '))
  const half = LONGEST / 2
  return text.length <= LONGEST ? text : `${text.slice(0, half)} … ${text.slice(-half)}`
}

/** Drivers repeat the address that they were given, and an address may have a password in it. */
function withoutPasswords(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1…@')
    .replace(/\b(password|passwd|pwd|secret|token)=[^\s&;,]+/gi, '$1=…')
}
