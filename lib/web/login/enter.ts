import type { Request } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import type { UserContext } from '../../domain/standing.js'
import type { Account } from '../../service/accounts.js'
import type { KeptCodes } from '../../service/shown-codes.js'
import type { Notice } from '../../text/pages.js'
import type { Keeps } from '../request/kept-keys.js'
import { type LogInOptions, removeUser } from '../request/passport.js'
import { keptKeys, removeLogin, type SecondStepSession } from '../request/session.js'
import type { HostApp } from '../request/site.js'
import { guardStateOf, setSignedIn } from '../request/visitor.js'
import { writeStamp } from '../request/written-stamp.js'
import { endReplaced } from './end-login.js'
import { passportLogIn } from './passport-session.js'

/** A user who may be in, and the stamp that says why. */
export interface Entry {
  readonly account: Account<Express.User>
  readonly stamp: Stamp
  readonly userContext: UserContext
  readonly keeps: Keeps
  readonly options?: LogInOptions
  /** The path to which the next page leads. */
  readonly next?: string | undefined
  /** The notice that the settings show once. */
  readonly notice?: Notice | undefined
  /** Our part of the old session, where the same login goes on in the new one. */
  readonly known?: SecondStepSession
  /** The write that accepted a code has ended what the old session held. */
  readonly recorded?: boolean
  /** The codes of this page, kept for its reload. */
  readonly shown?: KeptCodes | null
}

/**
 * Signs the user in, in a new session that keeps the allowed keys of the old one. The old session
 * stays unchanged until then: if the login fails, nothing changes for the visitor.
 */
export async function enter(site: HostApp, req: Request, entry: Entry): Promise<void> {
  const { account, stamp, userContext, options } = entry
  const state = guardStateOf(req)
  const { next, notice, shown = null } = entry
  const secondStep: SecondStepSession = {
    ...entry.known,
    verified: writeStamp(stamp),
    ...toldByProvider(stamp),
    ...(next === undefined ? {} : { next }),
    ...(notice === undefined ? {} : { notice }),
    ...(shown === null ? {} : { shown: [shown] }),
  }
  const contents = [...keptKeys(req, entry.keeps), ['secondStep', secondStep] as const]
  const before = req.session
  try {
    const endOld = () => endReplaced(req, stamp, userContext.record)
    const session = { options: options ?? {}, contents, ...(entry.recorded ? {} : { endOld }) }
    await passportLogIn(req, state.logIn, account.user, session)
  } catch (error) {
    removeUser(req)
    if (req.session !== before) removeLogin(site, req)
    throw error
  }
  const { record, policy, subject } = userContext
  const admission = { kind: 'signed-in', userId: account.id, stamp } as const
  setSignedIn(state, { ...admission, account, record, policy, subject })
}

function toldByProvider({ method, amr, issuer, acr }: Stamp): SecondStepSession {
  if (method !== 'upstream' || amr === undefined || issuer === undefined) return {}
  return { amr, issuer, acr: acr ?? null }
}
