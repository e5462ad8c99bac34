import { textOf } from '../../errors/text-of.js'
import type { OddUser } from '../../service/odd-user.js'
import type { Problem } from '../../text/problem.js'
import type { HostApp, Services } from '../request/site.js'

/**
 * Warns the operator of users whom the app describes wrongly: one warning for each kind of mistake.
 */
export function reportOddUsers(
  { trouble, hostIdOf }: Pick<Services & HostApp, 'trouble' | 'hostIdOf'>,
  odd: readonly OddUser[],
): void {
  const idsOf = new Map<string, string[]>()
  for (const { id, field, cause } of odd) {
    const named = id === null ? 'one without an id' : JSON.stringify(hostIdOf(id) ?? id)
    const why =
      field === 'describe' ? `\`describe\` or a getter failed: ${textOf(cause)}` : textOf(cause)
    idsOf.set(why, [...(idsOf.get(why) ?? []), named])
  }
  for (const [why, ids] of idsOf) {
    const text = `admins can't see or change users whom your app tells wrongly: ${ids.join(', ')}: ${why}`
    trouble.report(new Error(text))
  }
}

/** The answer to an admin who asks for such a user. */
export function oddUserProblem({ field }: OddUser): Problem {
  return { code: 'unavailable', text: { key: 'admin.user.odd', field } }
}
