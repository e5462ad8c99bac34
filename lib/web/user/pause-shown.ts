import { FOREVER } from '../../domain/standing.js'

/** The end of a pause as the wire has it: ISO 8601, or `forever`. */
export function pauseShown(until: number): string {
  return until === FOREVER ? 'forever' : new Date(until).toISOString()
}
