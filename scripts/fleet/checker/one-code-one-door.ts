import { type Attempt, grouped, isGuess, isSuccess } from '../history.js'

/** Each success has a code of its own: one that is the user's, and that opened nothing before or after. */
export function oneCodeOneDoor(attempts: readonly Attempt[]): readonly string[] {
  const successes = attempts.filter(isSuccess)
  const foreign = successes
    .filter((attempt) => attempt.code === null || isGuess(attempt))
    .map(({ user, code, called }) => `${user} signed in at ${at(called)} with ${code ?? 'no code'}`)
  const doors = grouped(successes, ({ user, code }) => `${user} with ${code ?? 'no code'}`)
  const twice = [...doors].flatMap(([what, opened]) =>
    opened.length > 1 ? [`${what} opened ${opened.length} sessions: ${whereOf(opened)}`] : [],
  )
  return [...foreign, ...twice]
}

function whereOf(opened: readonly Attempt[]): string {
  return opened
    .map(({ browser, app, answered }) => `browser ${browser} through ${app} at ${at(answered)}`)
    .join(', ')
}

export function at(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`
}
