import { type Attempt, type Audited, grouped, isGuess, isSuccess } from '../history.js'
import { isVerdictOnGuess } from './limited-verdicts.js'

/** Wrong codes that the log notes a day, about one user. */
const NOTED_A_DAY = 20

/**
 * Every answered attempt is in the audit log, and no code is there twice: a code may have been accepted whose answer
 * was lost, but of so many codes not more were accepted.
 */
export function auditedAttempts(
  attempts: readonly Attempt[],
  audited: readonly Audited[],
): readonly string[] {
  const logs = new Map(audited.map((log) => [log.user, log]))
  return [...grouped(attempts, ({ user }) => user)].flatMap(([user, own]) => {
    const log = logs.get(user)
    if (log === undefined) return [`${user} has no audit log`]
    const wrong = Math.min(own.filter(isVerdictOnGuess).length, NOTED_A_DAY)
    return [
      ...compared(`${user}: codes`, log.codes, ofKind(own, 'totp:')),
      ...compared(`${user}: backup codes`, log.backupCodes, ofKind(own, 'backup:')),
      ...(log.wrong < wrong
        ? [`${user}: ${wrong} wrong codes, ${log.wrong} in the audit log`]
        : []),
    ]
  })
}

interface Codes {
  readonly accepted: number
  /** Different ones that were given, whatever came back. */
  readonly given: number
}

function ofKind(attempts: readonly Attempt[], prefix: string): Codes {
  const own = attempts.filter(({ code }) => code?.startsWith(prefix) === true)
  const given = own.filter((attempt) => attempt.step === 'code' && !isGuess(attempt))
  return {
    accepted: own.filter(isSuccess).length,
    given: new Set(given.map(({ code }) => code)).size,
  }
}

function compared(what: string, logged: number, { accepted, given }: Codes): readonly string[] {
  if (logged < accepted) return [`${what}: ${accepted} accepted, ${logged} in the audit log`]
  if (logged > given) return [`${what}: ${given} given, ${logged} accepted in the audit log`]
  return []
}
