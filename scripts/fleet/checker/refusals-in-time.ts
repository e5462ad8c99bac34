import { type Attempt, isAnswered, type Pause } from '../history.js'
import { at } from './one-code-one-door.js'

/** Milliseconds in which a refusal is due (promise 7). */
const DUE = 2000

/**
 * Every refusal came within two seconds. Time in which the process that answered could not run does not count:
 * it was stopped, or the machine was busy with others.
 */
export function refusalsInTime(
  attempts: readonly Attempt[],
  pauses: readonly Pause[],
): readonly string[] {
  return attempts.filter(isRefusal).flatMap((attempt) => {
    const { user, step, called, answered, app, verdict } = attempt
    if (answered - called <= DUE) return []
    const own = pauses.filter((pause) => pause.app === app || pause.app === null)
    const late = answered - called - own.reduce((sum, pause) => sum + stoodIn(pause, attempt), 0)
    if (late <= DUE) return []
    return [
      `${user}: "${verdict}" to a ${step} of ${at(called)} came from ${app} after ${at(late)} of its own time`,
    ]
  })
}

export function isRefusal(attempt: Attempt): boolean {
  return isAnswered(attempt) && (attempt.status ?? 0) >= 400
}

/** How much of the time that an attempt took its process stood still. */
function stoodIn({ from, to, stood }: Pause, { called, answered }: Attempt): number {
  const overlap = Math.min(to, answered) - Math.max(from, called)
  return overlap > 0 ? Math.min(stood, overlap) : 0
}
