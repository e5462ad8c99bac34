import { explain } from '../errors/explain.js'
import { UnavailableError } from '../errors/unavailable-error.js'

/**
 * An error in one line: what does not answer, and why. Other errors say themselves what is to be said:
 * the cause of a config that cannot be loaded is the host's, with whatever is in it.
 */
export function messageOf(error: unknown): string {
  return explain(error, { causes: error instanceof UnavailableError })
}
