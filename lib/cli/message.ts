import { explain } from '../errors/explain.js'
import { UnavailableError } from '../errors/unavailable-error.js'

/**
 * An error in one line: which part does not answer, and why. For other errors the message is
 * enough: the cause of a config that cannot be loaded comes from the host's code and may hold
 * anything.
 */
export function messageOf(error: unknown): string {
  return explain(error, { causes: error instanceof UnavailableError })
}
