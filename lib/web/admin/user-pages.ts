import type { MemberPage, MemberQuery } from '../../service/directory.js'
import { noCircle } from '../../service/page-by-page.js'
import { type ShownUser, shownUser } from '../../text/shown-user.js'
import type { Exchange } from '../request/handler.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { reportLostLists, reportUnreadable } from './lost-users.js'
import { reportOddUsers } from './odd-users.js'
import { directoryOf, presentAdmin } from './requirements.js'

/** As many as a host and a store are asked for at once. */
export const LARGEST_PAGE = 100

export const COLUMNS = [
  ...(['id', 'name', 'email', 'state', 'since', 'backupCodesLeft'] as const),
  ...(['pausedUntil', 'lockedUntil', 'setupDeadline'] as const),
] satisfies readonly (keyof ShownUser)[]

/**
 * All pages of a listing, the first of which is there. Before each other one the admin is looked at again: a slow
 * client could otherwise read on for hours after the admin was paused or has lost the role.
 */
export async function* shownPages(
  exchange: Exchange<SignedInVisitor>,
  query: MemberQuery,
  first: MemberPage,
): AsyncGenerator<readonly ShownUser[]> {
  const { site } = exchange
  yield first.members.map(shownUser)
  const pass = noCircle(() => new Error('a download was cut off: `users.list` goes in a circle'))
  for (let from = first.next; from !== null; ) {
    pass(JSON.stringify(from))
    const admin = await presentAdmin(exchange)
    if ('code' in admin)
      throw new Error(`a download was cut off, because its admin is now: ${admin.code}`)
    const found = await directoryOf(site).page({ ...query, from }, admin.policy)
    if (found === null)
      throw new Error('a download was cut off, because a list did not know its own cursor')
    reportUnreadable(site, found)
    reportOddUsers(site, found.odd)
    reportLostLists(site, found.lostLists, true)
    yield found.members.map(shownUser)
    from = found.next
  }
}
