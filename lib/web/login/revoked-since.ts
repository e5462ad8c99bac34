import type { Request } from 'express'
import { standingOf, type UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import { removeUser } from '../request/passport.js'
import { replaceSession } from '../request/replaced-session.js'
import { type CameWith, type GuardState, guardStateOf } from '../request/visitor.js'
import { sendProblem } from '../routing/respond.js'
import { endedHere } from './end-login.js'
import { refuseAnswered } from './passport-session.js'

/**
 * Whether a login, of whomever, comes out of a session that was ended since the guard let it in. It is no
 * new login then: somebody who holds back a request must not get a session out of one that is over.
 *
 * @param known what has just been read of the account
 */
export async function isRevokedSince(
  req: Request,
  state: GuardState,
  account: Account<Express.User>,
  known?: UserContext,
): Promise<boolean> {
  if (isFirstStep(state, account)) return false
  // A log-out whose callback the host did not wait for.
  const ended = await endedHere(req)
  for (const came of state.cameWith) {
    if (await isOver(state, came, ended, came.account.id === account.id ? known : undefined)) {
      return true
    }
  }
  return false
}

/** A strategy has found the user by what was sent with this request, so no session counts. */
function isFirstStep({ found, cameWith, site }: GuardState, { id, user }: Account): boolean {
  if (found === null) return cameWith.length === 0
  // What it has found may be a profile of the host's, for which the host looks up the user.
  if (found === user || !cameWith.some(({ account }) => account.id === id)) return true
  try {
    return site.describe(found).id === id
  } catch {
    return false
  }
}

async function isOver(
  { site }: GuardState,
  { account, stamp }: CameWith,
  ended: ReadonlySet<string>,
  known: UserContext | undefined,
): Promise<boolean> {
  const userContext = known ?? (await site.sessions.userContext(account.id, account.subject))
  const { record } = userContext
  // It was good until this request itself has ended it. What ends every session still counts.
  const own = stamp !== null && ended.has(stamp.id)
  const before = own ? { ...record, ended: [], endedUpTo: null } : record
  const now = site.system.now()
  return standingOf(account.id, stamp, { ...userContext, record: before }, now) === 'revoked'
}

/** Leaves nobody on the request and nothing in the session. */
export async function refuseRevoked(req: Request): Promise<void> {
  const state = guardStateOf(req)
  state.visitor = { kind: 'anonymous' }
  removeUser(req)
  if (req.session) await replaceSession(req, () => undefined)
  refuseAnswered(req)
  await sendProblem(state.site, req, state.res, { code: 'sign-in-again' })
}
