import { acceptedOf, lacksAccepted } from './accepted-methods.js'
import { isEnrolled } from './authenticators.js'
import type { Policy } from './policy.js'
import { demandOf, setupDeadlineOf, type UserContext } from './standing.js'

/** What a change of the policy newly asks of a user. `nothing`: less than before. */
export type Concern = 'setup-now' | 'setup-later' | 'code' | 'nothing'

interface Asked {
  readonly what: Concern
  /** When a set-up is due, in milliseconds. */
  readonly by: number | null
}

/** @returns null for a user of whom both policies ask the same */
export function concernOf(
  { record, subject }: Pick<UserContext, 'record' | 'subject'>,
  { before, after }: { readonly before: Policy; readonly after: Policy },
  now: number,
): Concern | null {
  const old = asked({ record, subject, policy: before }, now)
  const next = asked({ record, subject, policy: after }, now)
  return old.what === next.what && old.by === next.by ? null : next.what
}

function asked(userContext: UserContext, now: number): Asked {
  const { record, policy, subject } = userContext
  const demand = demandOf(userContext, now)
  const lacks = isEnrolled(record) && lacksAccepted(record, acceptedOf(policy, subject))
  if (demand === 'setup' || (demand === 'code' && lacks)) return { what: 'setup-now', by: null }
  const by = setupDeadlineOf(userContext, now)
  if (demand === 'nothing' && by !== null) return { what: 'setup-later', by }
  return { what: demand, by: null }
}
