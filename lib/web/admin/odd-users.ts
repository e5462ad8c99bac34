import { explain } from '../../errors/explain.js'
import type { OddUser } from '../../service/odd-user.js'
import type { Problem } from '../../text/problem.js'
import type { HostApp, Services } from '../request/site.js'

/**
 * Warns the operator of users whom the app describes wrongly: one warning for each kind of mistake.
 */
export function reportOddUsers(
  { failureReporter, hostIdOf }: Pick<Services & HostApp, 'failureReporter' | 'hostIdOf'>,
  odd: readonly OddUser[],
): void {
  const told = new Map<string, { readonly one: OddUser; readonly ids: string[] }>()
  for (const one of odd) {
    const why = explain(one.cause)
    const alike = told.get(why) ?? { one, ids: [] }
    alike.ids.push(one.id === null ? 'one without an id' : JSON.stringify(hostIdOf(one.id)))
    told.set(why, alike)
  }
  for (const { one, ids } of told.values()) {
    const where = one.field === 'describe' ? ' (`describe` or a getter fails)' : ''
    const what = `admins can't see or change users whom your app tells wrongly: ${ids.join(', ')}${where}`
    failureReporter.report(new Error(what, { cause: one.cause }))
  }
}

/** The answer to an admin who asks for such a user. */
export function oddUserProblem({ field }: OddUser): Problem {
  return { code: 'unavailable', text: { key: 'admin.user.odd', field } }
}
