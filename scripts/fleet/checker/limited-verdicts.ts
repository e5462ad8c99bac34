import { type Attempt, grouped, isGuess, isSuccess } from '../history.js'

const MINUTE = 60_000
/** Wrong codes in a row that are judged without a wait. */
const WITHOUT_WAIT = 5
/** Of one account in 24 hours. A run is shorter. */
const A_DAY = 20

/**
 * No account has more verdicts than its limit: five wrong codes in a row, then one after each wait of 1, 2, 4 … minutes,
 * and 20 a day. Which guess was judged first is not known: so all waits together are compared with the time from
 * the first guess to the last answer.
 *
 * @param skew milliseconds by which the clocks of two processes may differ: a wait may be so much shorter
 */
export function limitedVerdicts(attempts: readonly Attempt[], skew: number): readonly string[] {
  const judged = attempts.filter((attempt) => isSuccess(attempt) || isVerdictOnGuess(attempt))
  return [...grouped(judged, ({ user }) => user)].flatMap(([user, answers]) => [
    ...tooManyInADay(user, answers.filter(isVerdictOnGuess)),
    ...rows(answers).flatMap((row) => tooSoon(user, row, skew)),
  ])
}

/** A code that was used before is answered in the same words, and counts nowhere. */
export function isVerdictOnGuess(attempt: Attempt): boolean {
  return attempt.step === 'code' && isGuess(attempt) && attempt.verdict === 'wrong-code'
}

function tooManyInADay(user: string, verdicts: readonly Attempt[]): readonly string[] {
  if (verdicts.length <= A_DAY) return []
  return [`${user} had ${verdicts.length} verdicts on wrong codes: at most ${A_DAY} a day are due`]
}

/** The wrong codes between two successes. */
function rows(answers: readonly Attempt[]): readonly (readonly Attempt[])[] {
  const result: Attempt[][] = [[]]
  for (const answer of answers.toSorted((one, other) => one.answered - other.answered)) {
    if (isSuccess(answer)) result.push([])
    else result.at(-1)?.push(answer)
  }
  return result
}

function tooSoon(user: string, row: readonly Attempt[], skew: number): readonly string[] {
  const began = Math.min(...row.map(({ called }) => called))
  const early = row.findIndex(({ answered }, index) => {
    const waits = index + 1 - WITHOUT_WAIT
    return waits > 0 && answered - began < (2 ** waits - 1) * MINUTE - waits * skew
  })
  if (early === -1) return []
  const seconds = ((row[early]?.answered ?? 0) - began) / 1000
  return [`${user} had ${early + 1} verdicts on wrong codes within ${seconds.toFixed(1)} s`]
}
