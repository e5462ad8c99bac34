import { bareCause } from './bare-cause.js'

/**
 * A part that the second step depends on did not answer, or answered nonsense. Always a refusal:
 * nobody is signed in because of it. `cause` has the detail, which visitors never see, and
 * nothing of the command or statement that failed.
 */
export class UnavailableError extends Error {
  static override readonly name: string = 'UnavailableError'
  override readonly name = 'UnavailableError'
  /** The status that Express's own error handler sends if `errorHandler()` is not mounted. */
  readonly status = 503
  /** The same for frameworks that read this name, such as NestJS and Fastify. */
  readonly statusCode = 503
  readonly code = 'unavailable'

  constructor(part: string, cause?: unknown) {
    super(`${part} is not available`, { cause: bareCause(cause) })
  }
}
