import type { AdminAction } from '../../domain/admin-actions.js'
import type { RequestInfo } from '../../service/announcer.js'
import type { Problem } from '../../text/problem.js'
import type { Exchange, Handler } from '../request/handler.js'
import { requestInfoOf } from '../request/request-info.js'
import type { SignedInVisitor } from '../request/visitor.js'
import type { Refuse } from '../routing/routes.js'
import { isJson, reasonOf } from './fields.js'
import { freshOrProblem, isPresentAdmin, presentAdmin } from './requirements.js'

/** What a POST or PUT does, and how it is refused. */
export interface Change {
  readonly answer: Handler<SignedInVisitor>
  readonly refuse: Refuse<SignedInVisitor>
}

/** The admin, who may change something now: their own second step is fresh. */
export async function freshAdmin(
  exchange: Exchange<SignedInVisitor>,
): Promise<SignedInVisitor | Problem> {
  const present = await presentAdmin(exchange)
  return 'code' in present ? present : (freshOrProblem(exchange.site, present) ?? present)
}

/** The admin who makes a change, the request, and the reason. */
export function adminRequestInfo({ req, visitor }: Exchange<SignedInVisitor>): RequestInfo {
  const actor = { kind: 'admin', id: visitor.account.id } as const
  return { ...requestInfoOf(req), actor, reason: reasonOf(req) ?? null }
}

/** Takes one of the admin's places for changes. */
export async function limitProblem(exchange: Exchange<SignedInVisitor>): Promise<Problem | null> {
  const { site, visitor } = exchange
  const place = await site.adminLimits.takeForChange(visitor.account.id, adminRequestInfo(exchange))
  if (place.kind === 'taken') return null
  return { code: place.kind, retryAfter: place.retryAfter, forAll: true }
}

/**
 * Writes a refusal to the audit log, but no mistake in a form. Changes beyond the limit get one entry, `too-many-changes`, so
 * that a stolen session cannot fill the log.
 *
 * @param userId whom it would have changed, as records have them; null: nobody, or nobody known
 */
export async function announceRefusal(
  exchange: Exchange<SignedInVisitor>,
  userId: string | null,
  action: AdminAction,
  problem: Problem,
): Promise<void> {
  const { code } = problem
  if (code === 'too-many-attempts' || isMistyped(exchange, problem)) return
  const { site, visitor } = exchange
  // Otherwise any signed-in user could fill somebody else's log with refusals.
  if (!(await isPresentAdmin(exchange))) return
  if (!(await site.adminLimits.takeForRefusal(visitor.account.id))) return
  await site.administration.refused(userId, adminRequestInfo(exchange), { action, code })
}

/** A field of a form that somebody has to correct, on the page that shows it: nobody wants to read of it later. */
function isMistyped({ req }: Pick<Exchange, 'req'>, { code, field, text }: Problem): boolean {
  const isInUse = text?.key.endsWith('-in-use') === true
  return code === 'malformed-request' && typeof field === 'string' && !isInUse && !isJson(req)
}
