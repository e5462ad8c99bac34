import type { Fault, LastLogin } from '../history.js'
import { at } from './one-code-one-door.js'

/** All recovered by itself: after each fault, and at the end a login passes through every process. */
export function recovered(
  faults: readonly Fault[],
  lastLogins: readonly LastLogin[],
  apps: readonly string[],
): readonly string[] {
  const lasting = faults.flatMap(({ fault, target, from, recovered: end }) =>
    end === null ? [`no recovery from "${fault}" of ${target} at ${at(from)}`] : [],
  )
  const shut = apps.flatMap((app) => {
    const verdicts = lastLogins.filter((login) => login.app === app).map(({ verdict }) => verdict)
    if (verdicts.length > 0 && verdicts.every((verdict) => verdict === 'signed-in')) return []
    return [`nobody signs in through ${app} at the end: ${verdicts.join(', ') || 'no answer'}`]
  })
  return [...lasting, ...shut]
}
