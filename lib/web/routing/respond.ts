import type { Request, Response } from 'express'
import { HOUR_S } from '../../domain/units.js'
import { inlineStyle } from '../../text/inline-style.js'
import type { Translate } from '../../text/messages.js'
import type { PageData, PageFrame, PageName, PageProblem } from '../../text/pages.js'
import { detailOf, PROBLEM_STATUS, type Problem } from '../../text/problem.js'
import { timeShown } from '../../text/time-shown.js'
import { userPath } from '../../text/user-path.js'
import { languagesOf, wantsJson } from '../request/negotiation.js'
import type { Site, Words } from '../request/site.js'
import { knownGuardStateOf } from '../request/visitor.js'
import { keepsNavigation, leadOf } from './lead.js'

const contentSecurityPolicy = (...styles: readonly string[]) =>
  [
    "default-src 'none'",
    ["style-src 'self'", ...styles].join(' '),
    "script-src 'self'",
    // The script asks for the challenge of a security key.
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** No frame of another site asks keys in the name of this one (WebAuthn Level 3, §5.9). */
const PERMISSIONS = 'publickey-credentials-create=(self), publickey-credentials-get=(self)'
const POLICY = contentSecurityPolicy()
const POLICY_WITH_STYLE = contentSecurityPolicy(inlineStyle.source)

/** The headers that every response of the package carries. */
export function setSafeHeaders(res: Response): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Referrer-Policy', 'strict-origin')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  res.setHeader('Content-Security-Policy', POLICY)
  res.setHeader('Permissions-Policy', PERMISSIONS)
}

/** The values that every page gets, for this visitor. */
function frameOf(site: Site, req: Request, page: PageName): Omit<PageFrame, 'style'> {
  const { t, lang, dir } = site.messages.for(languagesOf(site, req))
  const { secondStep, admin, signIn, signedIn } = site.paths
  const visitor = knownGuardStateOf(req)?.visitor
  const helpDesk = visitor?.kind === 'signed-in' && visitor.account.helpDesk === true
  return {
    helpDesk,
    t,
    lang,
    dir,
    time: (time, shape) => timeShown(time, t, lang, shape),
    base: secondStep,
    admin,
    userPath: (id) => userPath(admin, id),
    issuer: site.issuer,
    // That page has no form, and may be shown when the request has no session any more.
    formFields: page === 'problem' ? {} : site.formFields(req),
    signIn,
    signedIn,
  }
}

// The functions that answer do nothing where the host has answered meanwhile, by its own time-out for
// example: a second answer is an error.

/** Answers with a page. */
export async function showPage<P extends PageName>(
  site: Site,
  req: Request,
  res: Response,
  page: P,
  data: PageData[P],
  status = 200,
): Promise<void> {
  const away = status === PROBLEM_STATUS.unavailable
  const frame = { ...frameOf(site, req, page), style: away ? inlineStyle.text : null }
  const html = await site.render(page, data, frame)
  if (res.headersSent) return
  setSafeHeaders(res)
  if (away) res.set('Content-Security-Policy', POLICY_WITH_STYLE)
  send(res, status, 'text/html', html)
}

/** As Express's, without an ETag: nobody may store these answers, so nobody can ask whether they have changed. */
function send(res: Response, status: number, type: string, text: string): void {
  res.statusCode = status
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  // Node.js can be told to refuse the body of an answer to HEAD (rejectNonStandardBodyWrites).
  res.end(res.req.method === 'HEAD' ? undefined : text)
}

/** Answers with JSON. */
export function sendJson(res: Response, body: object, status = 200): void {
  if (res.headersSent) return
  setSafeHeaders(res)
  send(res, status, 'application/json', JSON.stringify(body))
}

/** Sends the visitor on after a successful POST. */
export function redirect(res: Response, path: string): void {
  if (res.headersSent) return
  setSafeHeaders(res)
  res.redirect(303, path)
}

/** Shows a problem on the page it belongs to, or on its own page if there is none. */
export type ShowProblem = (problem: PageProblem, status: number) => Promise<void>

/** Answers with a problem: RFC 9457 JSON, or the same text on a page with the same status. */
export async function sendProblem(
  site: Site,
  req: Request,
  res: Response,
  problem: Problem,
  show?: ShowProblem,
): Promise<void> {
  if (res.headersSent) return
  const status = problem.status ?? PROBLEM_STATUS[problem.code]
  if (problem.retryAfter !== undefined) res.set('Retry-After', String(problem.retryAfter))
  if (wantsJson(req)) return sendProblemJson(site, req, res, problem)
  const { t } = site.messages.for(languagesOf(site, req))
  const shown = {
    code: problem.code,
    detail: detailOf(problem, t),
    ...titleOf(problem, t),
    ...(problem.triesLeft === undefined ? {} : { triesLeft: problem.triesLeft }),
    ...(problem.lastLocks === undefined ? {} : { lastLocks: problem.lastLocks }),
    ...(problem.blockedUntil === undefined
      ? {}
      : { blockedUntil: problem.blockedUntil.toISOString() }),
    ...(problem.code === 'too-many-attempts' &&
    problem.retryAfter !== undefined &&
    problem.blockedUntil === undefined
      ? againIn(problem.retryAfter, site.system.now())
      : {}),
    ...(problem.clockOff === undefined ? {} : { clockOff: problem.clockOff }),
    ...(problem.field === undefined ? {} : { field: problem.field }),
  }
  if (show !== undefined) return show(shown, status)
  const navigation = await keepsNavigation(site, req, problem)
  const data = { problem: shown, ...leadOf(site, req, problem, navigation), navigation }
  await showPage(site, req, res, 'problem', data, status)
}

/** Nobody counts on from now by hundreds of minutes: a longer wait has a moment as its end. */
function againIn(seconds: number, now: number) {
  if (seconds <= HOUR_S) return { minutes: Math.ceil(seconds / 60) }
  return { againAt: new Date(now + seconds * 1000).toISOString() }
}

/** The heading of a page whose problem's own title would mislead: trying again does not help there. */
function titleOf({ text }: Problem, t: Translate): { readonly title?: string } {
  if (text?.key === 'admin.user.odd') return { title: t('admin.unreadable') }
  return text?.key === 'refusal.not-found' ? { title: t('admin.user.not-found') } : {}
}

/** Answers with a problem as JSON, whatever the visitor prefers. */
export function sendProblemJson(site: Words, req: Request, res: Response, problem: Problem): void {
  if (res.headersSent) return
  const { t } = site.messages.for(languagesOf(site, req))
  const { code, next, accepts, field, availableAt, clockOff } = problem
  const status = problem.status ?? PROBLEM_STATUS[code]
  setSafeHeaders(res)
  const body = {
    type: `urn:second-step:${code}`,
    title: t(`problem.${code}.title`),
    status,
    code,
    detail: detailOf(problem, t),
    ...(accepts === undefined ? {} : { accepts }),
    ...(next === undefined ? {} : { next }),
    ...(field === undefined ? {} : { field }),
    ...(clockOff === undefined ? {} : { clockOff }),
    ...(availableAt === undefined ? {} : { availableAt: availableAt.toISOString() }),
  }
  send(res, status, 'application/problem+json', JSON.stringify(body))
}
