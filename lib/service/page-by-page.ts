/** Milliseconds between two pages of a count in the background, so that a million users slow no login down. */
const BETWEEN_PAGES = 5

/**
 * Lets the cursors of one pass through. A store or host whose list goes in a circle would be read without an end.
 *
 * @returns throws the failure where a cursor comes a second time
 */
export function noCircle(failure: () => Error): (next: string | null) => string | null {
  const seen = new Set<string>()
  return (next) => {
    if (next === null) return null
    if (seen.has(next)) throw failure()
    seen.add(next)
    return next
  }
}

/** Resolves when the next page may be read. It alone keeps no process alive. */
export function pauseBetweenPages(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, BETWEEN_PAGES).unref())
}
