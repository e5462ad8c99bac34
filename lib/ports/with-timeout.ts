import { UnavailableError } from '../errors/unavailable-error.js'

const LONGEST_CALL = 1000

/**
 * Waits for a call of a port, at most a second where nothing else is given. Throws, rejections and
 * silence all become an UnavailableError, so that no failure of a part can be taken for an answer (promise 7).
 */
export async function within<T>(
  part: string,
  call: () => Promise<T>,
  longest = LONGEST_CALL,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${longest} ms`)
      reject(Object.assign(error, { code: 'ETIMEDOUT' }))
    }, longest)
  })
  try {
    return await Promise.race([call(), silence])
  } catch (cause) {
    throw new UnavailableError(part, cause)
  } finally {
    clearTimeout(timer)
  }
}
