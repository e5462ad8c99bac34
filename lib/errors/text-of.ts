/**
 * What an error says, in words, whatever was thrown: hosts and drivers throw objects without a
 * prototype and errors whose message is no text. Never throws: it is called where nobody catches.
 * Drivers put passwords and whole records in it: what somebody may read is made by `explain`.
 */
export function textOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? error.message : String(error)
    return typeof text === 'string' ? text : 'an error without a message'
  } catch {
    return 'an error without a message'
  }
}
