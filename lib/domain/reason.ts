import { visibleOf } from './authenticator-name.js'

/** How many characters a reason has at most. */
export const LONGEST_REASON = 500

/**
 * The reason that an admin or the operator gave, trimmed. Null if none is given that can be seen, undefined if it is
 * malformed.
 */
export function readReason(text: string): string | null | undefined {
  if ([...text].length > LONGEST_REASON) return undefined
  // Allows line breaks. Refuses other control characters, those that turn the text around, and lone surrogates.
  if (/[^\P{Cc}\t\r\n]|\p{Bidi_Control}|\p{Cs}/u.test(text)) return undefined
  return visibleOf(text) === '' ? null : text.trim()
}
