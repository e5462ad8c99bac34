import { UnavailableError } from '../errors/unavailable-error.js'
import { timeLimit } from './time-limit.js'
import { begunCall } from './watched-calls.js'

/**
 * Milliseconds that one call of a port may take where the host says nothing else. A request makes few
 * calls that can be silent, and its refusal is due within 2 seconds.
 */
export const DEFAULT_TIMEOUT = 1000

/**
 * Waits for a call of a port. Throws, rejections and silence all become an UnavailableError, so that
 * no failure of a part can be taken for an answer (promise 7). A late answer has no effect.
 *
 * @param timeout milliseconds
 */
export function withTimeout<T>(part: string, call: () => Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(new UnavailableError(part, cause))
    const limit = timeLimit(timeout)
    const ended = begunCall(part)
    const waiting = limit.begin((silence) => {
      ended?.('silent')
      fail(silence)
    })
    const refuse = (cause: unknown) => {
      limit.end(waiting)
      ended?.('failed')
      fail(cause)
    }
    // A call may throw instead of rejecting, and a host's may answer without a promise.
    try {
      Promise.resolve(call()).then((answer) => {
        limit.end(waiting)
        ended?.('ok')
        resolve(answer)
      }, refuse)
    } catch (cause) {
      refuse(cause)
    }
  })
}
