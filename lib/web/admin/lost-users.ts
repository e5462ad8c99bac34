import { UnavailableError } from '../../errors/unavailable-error.js'
import type { MemberPage } from '../../service/directory.js'
import type { Services } from '../request/site.js'

/**
 * The JSON contract has no field for it, and an admin who sees it on the page can seldom fix it.
 */
export function reportUnreadable(
  { failureReporter }: Services,
  { members, lost }: MemberPage,
): void {
  const damaged = members.filter(({ unreadable }) => unreadable === 'record')
  const named = [...damaged.map(({ hostId }) => JSON.stringify(hostId)), ...lost]
  if (named.length === 0) return
  failureReporter.report(
    new Error(
      'a list of users has records that are damaged or lost; `npx passport-second-step check` names all ' +
        `of them: ${named.join(', ')}`,
    ),
  )
}

/**
 * The page says that users are missing. JSON has no field for it, so it is refused.
 *
 * @throws UnavailableError
 */
export function reportLostLists(
  { failureReporter }: Services,
  lostLists: readonly string[],
  isRefused: boolean,
): void {
  const [first] = lostLists
  if (first === undefined) return
  if (isRefused) throw new UnavailableError('the record store', new Error(first))
  for (const lost of lostLists) failureReporter.report(new Error(lost))
}
