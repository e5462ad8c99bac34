import { type Attempt, grouped, isGuess } from '../history.js'
import { at } from './one-code-one-door.js'

/** Nobody is in whose browser gave no right code before: not by a password alone, nor by waiting at the challenge. */
export function nobodyWithoutFactor(attempts: readonly Attempt[]): readonly string[] {
  return [...grouped(attempts, ({ browser }) => String(browser))].flatMap(([browser, asked]) => {
    const calls = asked.toSorted((one, other) => one.called - other.called)
    return calls.flatMap((call, index) => {
      const isIn = call.step !== 'code' && isOpen(call)
      if (!isIn || calls.slice(0, index).some(mayHaveOpened)) return []
      return [
        `${call.user} was in by a ${call.step} alone: browser ${browser} at ${at(call.called)}`,
      ]
    })
  })
}

function isOpen({ step, status, verdict }: Attempt): boolean {
  return step === 'page' ? status === 200 : verdict === 'signed-in'
}

/** A right code whose answer was lost may have opened the session all the same. */
function mayHaveOpened(call: Attempt): boolean {
  const isRight = call.step === 'code' && call.code !== null && !isGuess(call)
  return isRight && ['signed-in', 'none', 'gateway'].includes(call.verdict)
}
