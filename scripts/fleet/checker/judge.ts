import type { Entry } from '../history.js'
import { auditedAttempts } from './audited-attempts.js'
import { limitedVerdicts } from './limited-verdicts.js'
import { nobodyWithoutFactor } from './nobody-without-factor.js'
import { oneCodeOneDoor } from './one-code-one-door.js'
import { recovered } from './recovered.js'
import { refusalsInTime } from './refusals-in-time.js'

/** What the fleet was. */
export interface Terms {
  /** The names of its app processes. */
  readonly apps: readonly string[]
  /** Milliseconds by which the clocks of two processes may have differed. */
  readonly skew: number
}

/** One thing that must hold, and where it did not. */
export interface Finding {
  readonly rule: string
  readonly violations: readonly string[]
}

/** Judges a whole history. Pure: the same history has the same findings. */
export function judge(history: readonly Entry[], { apps, skew }: Terms): readonly Finding[] {
  const of = <K extends Entry['kind']>(kind: K) =>
    history.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind)
  const attempts = of('attempt')
  return [
    { rule: 'one code opens one door', violations: oneCodeOneDoor(attempts) },
    {
      rule: 'no account has more verdicts than its limit',
      violations: limitedVerdicts(attempts, skew),
    },
    { rule: 'nobody is in without a factor', violations: nobodyWithoutFactor(attempts) },
    {
      rule: 'every answered attempt is in the audit log',
      violations: auditedAttempts(attempts, of('audited')),
    },
    {
      rule: 'every refusal comes within two seconds',
      violations: refusalsInTime(attempts, of('pause')),
    },
    { rule: 'all recovers by itself', violations: recovered(of('fault'), of('last-login'), apps) },
  ]
}
