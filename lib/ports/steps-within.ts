import { UnavailableError } from '../errors/unavailable-error.js'
import { timeLimit } from './time-limit.js'
import { begunCall } from './watched-calls.js'

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
export function stepsWithin<T>(timeout: number, run: (step: Step) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false
    let present = 'a step of the host'
    let ended: ReturnType<typeof begunCall> = null
    const limit = timeLimit(timeout)
    const waiting = limit.begin((silence) => {
      over = true
      ended?.('silent')
      reject(new UnavailableError(present, silence))
    })
    const step: Step = async (part, call) => {
      present = part
      const told = begunCall(part)
      ended = told
      const answer = await ofStep(call, told)
      return over ? new Promise<never>(() => undefined) : answer
    }
    run(step).then(
      (answer) => {
        limit.end(waiting)
        resolve(answer)
      },
      // After the time limit this was already answered.
      (error: unknown) => {
        limit.end(waiting)
        reject(error)
      },
    )
  })
}

async function ofStep<T>(call: () => Promise<T>, told: ReturnType<typeof begunCall>): Promise<T> {
  try {
    const answer = await call()
    told?.('ok')
    return answer
  } catch (error) {
    told?.('failed')
    throw error
  }
}
