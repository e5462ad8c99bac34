import { UnavailableError } from '../errors/unavailable-error.js'

/** Runs one of several steps. Once the time is over no step that follows it begins. */
export type Step = <T>(part: string, call: () => Promise<T>) => Promise<T>

/**
 * Runs steps that share one time limit. A late result has no effect: the running step may end, but
 * no further step begins.
 *
 * @param run rejects with what a step rejects with
 * @param timeout milliseconds
 * @throws UnavailableError naming the part that was silent
 */
export async function stepsWithin<T>(timeout: number, run: (step: Step) => Promise<T>): Promise<T> {
  let over = false
  let present = 'a step of the host'
  const step: Step = async (part, call) => {
    present = part
    const answer = await call()
    return over ? new Promise<never>(() => undefined) : answer
  }
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      over = true
      const error = new Error(`no answer within ${timeout} ms`)
      reject(new UnavailableError(present, Object.assign(error, { code: 'ETIMEDOUT' })))
    }, timeout)
  })
  const steps = run(step)
  // A failure after the time limit was already answered.
  steps.catch(() => undefined)
  try {
    return await Promise.race([steps, silence])
  } finally {
    clearTimeout(timer)
  }
}
