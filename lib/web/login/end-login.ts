import type { Request } from 'express'
import type { HeldLogin } from '../../domain/held-login.js'
import type { SecondStepRecord } from '../../domain/record.js'
import { requestInfoOf } from '../request/request-info.js'
import { heldIn } from '../request/session.js'
import { guardStateOf, type Visitor } from '../request/visitor.js'

interface Ending {
  readonly id: string
  readonly written: Promise<void>
}

const endings = new WeakMap<Request, Ending>()
const endedAlive = new WeakMap<Request, ReadonlySet<string>>()

/** Ids of the logins that were good until this request has ended them, once it is written. */
export async function endedHere(req: Request): Promise<ReadonlySet<string>> {
  // Whoever ends a login hears of the failure.
  await endings.get(req)?.written.catch(() => undefined)
  return endedAlive.get(req) ?? new Set()
}

/**
 * Ends in the record what the session holds of a login, once for each login of a request. Every way
 * out of a session comes here. A session without a login costs nothing.
 *
 * @returns when it is written, also by an earlier call
 * @throws UnavailableError for the record store
 */
export function endLoginOf(
  req: Request,
  session: unknown = req.session,
  known?: SecondStepRecord,
): Promise<void> {
  return endHeldOnce(
    req,
    session === req.session ? heldOf(req) : heldIn(guardStateOf(req).site, session),
    known,
  )
}

/** The host may have removed the session, or emptied it first: the guard still knows what it held. */
function heldOf(req: Request): HeldLogin | null {
  const { site, visitor } = guardStateOf(req)
  return heldIn(site, req.session) ?? heldBy(visitor)
}

function endHeldOnce(
  req: Request,
  held: HeldLogin | null,
  known: SecondStepRecord | undefined,
): Promise<void> {
  const last = endings.get(req)
  if (held === null || held.login.id === last?.id) return last?.written ?? Promise.resolve()
  const { id, userId } = held.login
  const written = write(req, held, known?.userId === userId ? known : undefined)
  endings.set(req, { id, written })
  return written
}

async function write(req: Request, held: HeldLogin, known?: SecondStepRecord): Promise<void> {
  const { sessions } = guardStateOf(req).site
  const wasAlive = await sessions.end(held, requestInfoOf(req), known)
  if (wasAlive) endedAlive.set(req, new Set([...(endedAlive.get(req) ?? []), held.login.id]))
}

/**
 * The same where another login takes the session's place: it goes on, and what it replaces ends.
 *
 * @param record the user's, as this request has just read it
 */
export async function endReplaced(
  req: Request,
  goesOn: { readonly id: string; readonly userId: string; readonly epoch: number },
  record: SecondStepRecord,
): Promise<void> {
  const { login } = heldOf(req) ?? {}
  if (login === undefined || login.id === goesOn.id) return
  // The user's older epoch is over as a whole.
  if (login.userId === goesOn.userId && login.epoch !== goesOn.epoch) return
  await endLoginOf(req, req.session, record)
}

/**
 * The same for a login in front of the guard: Passport itself has replaced the session, and the
 * guard has met its new user.
 *
 * @param secondStep our part of the session that was replaced
 */
export async function endReplacedBefore(
  req: Request,
  secondStep: unknown,
  visitor: Visitor,
): Promise<void> {
  const held = heldIn(guardStateOf(req).site, { secondStep })
  if (held === null || held.login.id === heldBy(visitor)?.login.id) return
  await endHeldOnce(req, held, 'record' in visitor ? visitor.record : undefined)
}

function heldBy(visitor: Visitor): HeldLogin | null {
  if (visitor.kind === 'pending') return { kind: 'pending', login: visitor.pending }
  if (visitor.kind !== 'signed-in' || visitor.stamp === null) return null
  return { kind: 'stamp', login: visitor.stamp }
}
