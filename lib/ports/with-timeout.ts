import { UnavailableError } from '../errors/unavailable-error.js'

/**
 * Milliseconds that one call of a port may take where the host says nothing else. A request makes few
 * calls that can be silent, and its refusal is due within 2 seconds.
 */
export const DEFAULT_TIMEOUT = 1000

/**
 * Waits for a call of a port. Throws, rejections and silence all become an UnavailableError, so that
 * no failure of a part can be taken for an answer (promise 7).
 *
 * @param timeout milliseconds
 */
export async function within<T>(part: string, call: () => Promise<T>, timeout: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeout} ms`)
      reject(Object.assign(error, { code: 'ETIMEDOUT' }))
    }, timeout)
  })
  try {
    return await Promise.race([call(), silence])
  } catch (cause) {
    throw new UnavailableError(part, cause)
  } finally {
    clearTimeout(timer)
  }
}
