import type { UserAction } from '../../domain/admin-actions.js'
import { isOdd } from '../../service/odd-user.js'
import type { NamedUser, PageProblem } from '../../text/pages.js'
import { listedUser } from '../../text/shown-user.js'
import { fieldOf } from '../request/body.js'
import type { Exchange } from '../request/handler.js'
import type { Site } from '../request/site.js'
import { showPage } from '../routing/respond.js'
import { memberCalled, pathOfUsers } from './user.js'

/**
 * What can be done to several users at once, in the order of the page. Each is a row of the table of actions. What
 * shows codes, or is about one device, is none of these.
 */
export const BULK_ACTIONS = [
  ...(['end-sessions', 'remind', 'pause', 'resume', 'unlock', 'reset', 'disable'] as const),
] satisfies readonly UserAction[]

/** Ids of the host, each once, and what is to be done to them. */
export interface AskedUsers {
  readonly ids: readonly string[]
  readonly action: (typeof BULK_ACTIONS)[number]
}

const NAMES_SHOWN = 20

/** The page that names whom a change is about before it is made. Changes nothing. */
export async function askAgain(
  { site, req, res }: Pick<Exchange, 'site' | 'req' | 'res'>,
  { ids, action }: AskedUsers,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const named = await Promise.all(ids.slice(0, NAMES_SHOWN).map((id) => namedUser(site, id)))
  const typed = { reason: fieldOf(req, 'reason') ?? '', days: fieldOf(req, 'days') ?? '' }
  const { demandReason } = site
  const data = { problem, action, ids, named, typed, demandReason, back: pathOfUsers(site) }
  await showPage(site, req, res, 'admin-bulk', data, status)
}

async function namedUser(site: Site, id: string): Promise<NamedUser> {
  const member = await memberCalled(site, id).catch(() => null)
  if (member === null) return { id, name: null, email: null }
  if (isOdd(member)) return { id, name: member.name, email: null }
  const { name, email, asked = true } = listedUser(member)
  return { id, name, email, asked }
}
