import type { Request } from 'express'
import type { ShownBrowser } from '../../text/pages.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveNotice } from '../request/notices.js'
import { pagePath } from '../request/page-path.js'
import { requestInfoOf } from '../request/request-info.js'
import type { Site } from '../request/site.js'
import { takeTrust, trustTokenOf } from '../request/trust-cookie.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson } from '../routing/respond.js'

/** The user's trusted browsers, as the settings show them. */
export function trustedBrowsersShown(
  { trustedBrowsers }: Site,
  req: Request,
  visitor: SignedInVisitor,
): readonly ShownBrowser[] {
  if (trustedBrowsers === null) return []
  const here = trustTokenOf(req, trustedBrowsers.cookie)?.id
  return trustedBrowsers.of(visitor).map(({ id, name, createdAt, expiresAt }) => ({
    id,
    name,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    current: id === here,
  }))
}

/** POST `/trusted-browsers/:id/forget` */
export const forgetTrustedBrowser: Handler<SignedInVisitor> = (exchange) => {
  const { id } = exchange.req.params
  return forget(exchange, typeof id === 'string' ? id : '')
}

/** POST `/trusted-browsers/forget-all` */
export const forgetTrustedBrowsers: Handler<SignedInVisitor> = (exchange) => forget(exchange, null)

/** @param id null: all */
async function forget(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  id: string | null,
): ReturnType<Handler> {
  const { trustedBrowsers } = site
  if (trustedBrowsers === null) return { code: 'switched-off' }
  const forgetting = { ...visitor, admission: visitor, requestInfo: requestInfoOf(req) }
  const answer = await trustedBrowsers.forget(forgetting, id)
  if (answer === 'sign-in-again') return { code: answer }
  const { cookie } = trustedBrowsers
  const here = trustTokenOf(req, cookie)
  if (here !== null && (id === null || id === here.id)) takeTrust(res, cookie)
  if (wantsJson(req)) {
    sendJson(res, { status: 'forgotten' })
    return undefined
  }
  const { stamp } = visitor
  if (stamp?.method === 'trusted-browser' && (id === null || id === stamp.trust)) {
    // This session has rested on it, and gives a code now. It keeps no notice on the way there.
    redirect(res, `${pagePath(site.paths, 'code-required')}?forgotten=1`)
    return undefined
  }
  await leaveNotice(req, 'browser-forgotten')
  redirect(res, `${site.paths.secondStep}/`)
  return undefined
}
