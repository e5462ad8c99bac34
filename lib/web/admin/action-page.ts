import type { Request } from 'express'
import { isUserAction, type UserAction } from '../../domain/admin-actions.js'
import { isOdd } from '../../service/odd-user.js'
import { adminAuthenticators } from '../../text/admin-authenticator.js'
import { effectsOf } from '../../text/effects.js'
import type { AdminForm } from '../../text/pages.js'
import { listedUser } from '../../text/shown-user.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { signedIn } from '../routing/requirements.js'
import { redirect, showPage } from '../routing/respond.js'
import { oddUserProblem } from './odd-users.js'
import { forAdmins, leadsToFreshCode } from './requirements.js'
import { allowedForms, type FoundMember, memberOf, NO_SUCH_USER, pathOfUser } from './user.js'

/**
 * GET `/users/:id/:action`: asks again, with what the action does to this user. Changes nothing, however often it is
 * loaded. Leads to the user's page where the action has no effect, or is not this admin's to take.
 */
export const showAction: Handler = async (exchange) => {
  const { site, req, visitor } = exchange
  const action = actionIn(req)
  if (wantsJson(req) || action === null) return { code: 'not-found' }
  const met = signedIn(site, req, visitor)
  if ('code' in met) return met
  const asked: Handler<SignedInVisitor> = async (ofAdmin) => {
    const member = await memberOf(site, req)
    if (member === null) return NO_SUCH_USER
    if (isOdd(member)) return oddUserProblem(member)
    await actionPage(ofAdmin, member, action)
    return undefined
  }
  return forAdmins(asked)({ ...exchange, visitor: met })
}

function actionIn({ params: { action } }: Request): UserAction | null {
  return isUserAction(action) && action !== 'remove-authenticator' ? action : null
}

async function actionPage(
  exchange: Exchange<SignedInVisitor>,
  member: FoundMember,
  action: UserAction,
): Promise<void> {
  const { site, req, res, visitor } = exchange
  const back = pathOfUser(site, member.hostId)
  const forms = (await allowedForms(site, visitor, member)).filter((form) => isOf(action, form))
  if (forms.length === 0) return redirect(res, back)
  const trustedBrowsers = site.trustedBrowsers?.of(member).length ?? 0
  const user = listedUser(member)
  const now = site.system.now()
  const stale = await leadsToFreshCode(exchange, `${back}/${action}`)
  await showPage(site, req, res, 'admin-action', {
    problem: null,
    form: null,
    user,
    forms,
    effects: effectsOf(action, member, { trustedBrowsers, asked: user.asked !== false, now }),
    noMail: site.mails && member.account.email === null,
    stale,
    authenticators: adminAuthenticators(member.record),
    fewMisses: site.ownAuthenticators.fewMisses(member.record, ['hotp']),
    demandReason: site.demandReason,
    back,
  })
}

function isOf(action: UserAction, form: AdminForm): boolean {
  return form === action || (action === 'pause' && form === 'pause-forever')
}
