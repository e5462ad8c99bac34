import { worksFrom } from '../../domain/mail-reset.js'
import type { RequestInfo } from '../../service/announcer.js'
import type { LostLink, LostLinks } from '../../service/lost-links.js'
import { factsOf } from '../../text/facts.js'
import type { PageProblem } from '../../text/pages.js'
import type { Problem } from '../../text/problem.js'
import { accountOfPending } from '../login/finish-login.js'
import { putPending } from '../login/put-pending.js'
import type { Exchange, Handler } from '../request/handler.js'
import { languagesOf, wantsJson } from '../request/negotiation.js'
import { rememberOpenedLink } from '../request/opened-link.js'
import { pagePath } from '../request/page-path.js'
import { requestInfoOf } from '../request/request-info.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import type { PendingVisitor, Visitor } from '../request/visitor.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'

/** A request with a link that works. */
interface Linked extends Exchange {
  readonly links: LostLinks
  readonly link: LostLink
  /** The token as it is in the address. */
  readonly token: string
}

/**
 * GET `/lost/:token`. Mail scanners fetch it too, so it changes nothing; a browser that has to sign
 * in first remembers that it was here.
 */
export const showLostLink = withLink(async (linked) => {
  const { req, res, visitor, links, link } = linked
  await links.opened(link, requestInfoHere(linked))
  if (!wantsJson(req)) {
    const signsInFirst = visitor.kind !== 'signed-in' && ownerOf(linked) === null
    if (signsInFirst) await rememberOpenedLink(req, link)
    if (resetFor(linked) === 'closed') return onPage(linked, { code: 'switched-off' })
    await linkPage(linked, null, 200)
    return undefined
  }
  sendJson(res, {
    status: 'valid',
    availableAt: new Date(availableAtOf(link)).toISOString(),
    canReset: resetFor(linked) === 'open',
  })
  return undefined
})

/** POST `/lost/:token` */
export const pressLostLink = withLink(async (linked) => {
  const { site, req, res, links, link } = linked
  const owner = ownerOf(linked)
  if (owner === null) return onPage(linked, notHere(linked))
  if (resetFor(linked) === 'closed') return onPage(linked, { code: 'switched-off' })
  // Before the reset: an unavailable user store must not leave it half done.
  if ((await accountOfPending(site, req, owner)) === undefined) return { code: 'sign-in-again' }

  const { pending, policy, subject } = owner
  const requestInfo = requestInfoOf(req)
  const answer = await links.press(link, { pending, policy, subject, requestInfo })
  if (answer.kind === 'not-yet') {
    const availableAt = new Date(answer.availableAt)
    return onPage(linked, { code: answer.kind, availableAt })
  }
  if (answer.kind === 'not-signed-in') return onPage(linked, { code: answer.kind })
  if (answer.kind !== 'reset') return expired(linked)

  // As old as the reset itself, so that a password change meanwhile still ends it.
  const { epoch, at } = answer
  await putPending(site, req, { ...site.sessions.pending(pending), epoch, at })
  const next = pagePath(site.paths, 'setup-required')
  if (wantsJson(req)) sendJson(res, { status: 'reset', next })
  else redirect(res, next)
  return undefined
})

/** POST `/lost/:token/cancel` */
export const cancelLostLink = withLink(async (linked) => {
  const { site, req, res, links, link } = linked
  const answer = await links.cancel(link, requestInfoHere(linked))
  if (answer !== 'cancelled') return expired(linked)
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else redirect(res, `${site.paths.secondStep}/lost/cancelled`)
  return undefined
})

/** GET `/lost/cancelled`: the page after that. */
export const showLostCancelled: Handler = async ({ site, req, res, visitor }) => {
  const isIn = visitor.kind === 'signed-in'
  if (wantsJson(req)) sendJson(res, { status: 'cancelled' })
  else await showPage(site, req, res, 'lost-cancelled', { problem: null, isIn })
  return undefined
}

/** GET `/lost/:token/cancel`: its form is on the page of the link. */
export const showCancelledLink: Handler = async ({ site, req, res }) => {
  const { token } = req.params
  if (wantsJson(req) || typeof token !== 'string') return { code: 'not-found' }
  redirect(res, pathOfLink(site, token))
  return undefined
}

function pathOfLink({ paths }: Pick<Site, 'paths'>, token: string): string {
  return `${paths.secondStep}/lost/${encodeURIComponent(token)}`
}

/** Checks the link before the visitor: a dead link is dead for everybody. */
function withLink(handler: (linked: Linked) => Promise<Problem | undefined>): Handler {
  return async (exchange) => {
    const { lost } = exchange.site
    if (lost === null) return { code: 'switched-off' }
    const token = String(exchange.req.params.token)
    const link = await lost.links.find(token)
    return link === null
      ? expired(exchange)
      : handler({ ...exchange, links: lost.links, link, token })
  }
}

/** A pending login that waits for the code may ask for another link. */
function expired({ site, visitor }: Pick<Exchange, 'site' | 'visitor'>): Problem {
  const waits = visitor.kind === 'pending' ? visitor.standing : null
  return waits === null
    ? { code: 'link-expired' }
    : { code: 'link-expired', link: pagePath(site.paths, waits) }
}

/** The pending login of the link's user, in this browser; or null. */
function ownerOf({ visitor, link }: { visitor: Visitor; link: LostLink }): PendingVisitor | null {
  if (visitor.kind !== 'pending' || visitor.standing !== 'code-required') return null
  return visitor.pending.userId === link.token.userId ? visitor : null
}

/** Whether the rules leave the owner this reset. `elsewhere`: this browser has no pending login of theirs. */
function resetFor(linked: Linked): 'open' | 'closed' | 'elsewhere' {
  const owner = ownerOf(linked)
  if (owner === null) return 'elsewhere'
  return linked.site.lost?.isOpenTo(owner) === true ? 'open' : 'closed'
}

/** A mail scanner has the link too: only a visitor with the user's login or session is the user. */
function requestInfoHere(linked: Linked): RequestInfo {
  const { req, link } = linked
  const requestInfo = requestInfoOf(req)
  return userIdOf(linked) === link.token.userId
    ? requestInfo
    : { ...requestInfo, actor: { kind: 'user', id: null } }
}

function userIdOf({ site, req, visitor }: Exchange): string | null {
  if (visitor.kind === 'pending') return visitor.pending.userId
  return isInSession(site, req, visitor) ? visitor.account.id : null
}

function availableAtOf({ reset, heldUntil }: LostLink): number {
  return Math.max(reset.usableAt, heldUntil)
}

/** To a visitor who is signed in, the page says what to do. */
function notHere({ visitor }: Linked): Problem {
  const code = 'not-signed-in'
  return visitor.kind === 'signed-in'
    ? { code }
    : { code, text: { key: 'lost-link.other-browser' } }
}

async function onPage(linked: Linked, problem: Problem): Promise<undefined> {
  const { site, req, res } = linked
  await sendProblem(site, req, res, problem, (shown, status) => linkPage(linked, shown, status))
}

function linkPage(linked: Linked, problem: PageProblem | null, status: number): Promise<void> {
  const { site, req, res, link, token } = linked
  const { t, lang } = site.messages.for(languagesOf(site, req))
  const { askedAt, ip, userAgent } = link.reset
  const reset = resetFor(linked)
  const worksAt = Math.max(worksFrom(link.reset), link.heldUntil)
  const data = {
    problem,
    facts: factsOf({ at: new Date(askedAt), ip, userAgent }, t, lang),
    canReset: reset === 'open',
    closed: reset === 'closed',
    availableAt: worksAt > site.system.now() ? new Date(worksAt) : null,
    action: pathOfLink(site, token),
    isIn: linked.visitor.kind === 'signed-in',
  }
  return showPage(site, req, res, 'lost-link', data, status)
}
