/** How many characters a reason has at most. */
export const LONGEST_REASON = 500

/**
 * Why an admin or the operator does something, without the space around it: null where nothing is
 * given, undefined for what is no reason.
 */
export function readReason(text: string): string | null | undefined {
  if ([...text].length > LONGEST_REASON) return undefined
  // A line break is no harm; other control characters and halves of characters have no business here.
  if (/[^\P{Cc}\t\r\n]|\p{Cs}/u.test(text)) return undefined
  return text.trim() === '' ? null : text.trim()
}
