import { type Attempt, isAnswered, type Pause } from '../history.js'
import { at } from './one-code-one-door.js'

/** Milliseconds in which a refusal is due (promise 7). */
const DUE = 2000

/**
 * Every refusal came within two seconds. Time in which the process that answered could not run does not count:
 * it was stopped, the machine was busy with others, or the proxy had asked another one first.
 */
export function refusalsInTime(
  attempts: readonly Attempt[],
  pauses: readonly Pause[],
): readonly string[] {
  return attempts.filter(isRefusal).flatMap((attempt) => {
    const { user, step, called, answered, app, verdict } = attempt
    const asked = called + attempt.elsewhere
    if (answered - asked <= DUE) return []
    const own = pauses.filter((pause) => pause.app === app || pause.app === null)
    const stood = own.reduce((sum, pause) => sum + stoodIn(pause, asked, answered), 0)
    const late = answered - asked - stood
    if (late <= DUE) return []
    return [
      `${user}: "${verdict}" to a ${step} of ${at(called)} came from ${app} after ${at(late)} of its own time`,
    ]
  })
}

export function isRefusal(attempt: Attempt): boolean {
  return isAnswered(attempt) && (attempt.status ?? 0) >= 400
}

/** How much of the time that it had the request its process stood still. */
function stoodIn({ from, to, stood }: Pause, asked: number, answered: number): number {
  const overlap = Math.min(to, answered) - Math.max(from, asked)
  return overlap > 0 ? Math.min(stood, overlap) : 0
}
