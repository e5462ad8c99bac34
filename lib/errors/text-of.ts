/**
 * The message of any thrown value: hosts and drivers also throw objects without a prototype, and
 * errors whose message is not a string. Never throws, because its callers do not catch. The message
 * may hold passwords and whole records; use `explain` for text that people may read.
 */
export function textOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? error.message : String(error)
    return typeof text === 'string' ? text : 'an error without a message'
  } catch {
    return 'an error without a message'
  }
}
