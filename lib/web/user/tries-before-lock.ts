import { isEnrolled } from '../../domain/authenticators.js'
import type { UserContext } from '../../domain/standing.js'
import type { PageProblem } from '../../text/pages.js'
import type { Site } from '../request/site.js'

/** How many more wrong codes lock the devices of a signed-in user. Null: a problem has its own number. */
export function triesBeforeLock(
  { challenge }: Pick<Site, 'challenge'>,
  record: UserContext['record'],
  problem: PageProblem | null,
): number | null {
  return problem === null && isEnrolled(record) ? challenge.missesLeft(record) : null
}
