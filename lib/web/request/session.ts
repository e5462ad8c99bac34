import type { Request } from 'express'
import type {} from 'express-session'
import type { AdminAction } from '../../domain/admin-actions.js'
import type { HeldLogin } from '../../domain/held-login.js'
import type { PendingLogin } from '../../domain/pending-login.js'
import type { Stamp } from '../../domain/stamp.js'
import { UnavailableError } from '../../errors/unavailable-error.js'
import type { AskedChallenge } from '../../factors/ceremony.js'
import { withTimeout } from '../../ports/with-timeout.js'
import type { KeptCodes } from '../../service/shown-codes.js'
import type { Notice } from '../../text/pages.js'
import { passportKeys } from './passport.js'
import { saveOnce } from './saved-session.js'
import type { Site } from './site.js'
import { guardStateOf } from './visitor.js'
import { regenerateOwn } from './watched-session.js'
import { readStamp, type WrittenStamp } from './written-stamp.js'

/** Our one key in the host's session. */
export interface SecondStepSession {
  readonly pending?: PendingLogin
  readonly verified?: WrittenStamp
  /** What the stamp has of a provider: few stamps have it. */
  readonly amr?: readonly string[]
  readonly issuer?: string
  readonly acr?: string | null
  /** The path on this origin to which `/fresh` and the page after a set-up lead. */
  readonly next?: string
  /** The methods that count on that page. Only the page for a fresh code reads it, to say so. */
  readonly accepts?: readonly string[]
  /** The notice that the settings page shows once: the last action. */
  readonly notice?: Notice
  /** A link of a reset by mail that was opened before the sign-in. */
  readonly openedLink?: OpenedLink
  /** The pending login's requests for a reset by mail, the earliest first. */
  readonly lostAsks?: readonly LostAsk[]
  /** The notice that an admin page shows once: the last change. */
  readonly adminNotice?: AdminNotice
  /** Challenges that were put to the user's keys: one for each purpose. */
  readonly challenges?: Partial<Record<ChallengePurpose, SessionChallenge>>
  /** Codes that were shown, for a reload of their page: sealed, the newest first. */
  readonly shown?: readonly KeptCodes[]
}

/** What a key's answer is for: a login, or a proof in a session. */
export type ChallengePurpose = 'login' | 'fresh'

/** A challenge that was put to the user's keys. */
export interface SessionChallenge extends AskedChallenge {
  /** Id of the pending login or stamp that it was put to; another one in this session can't answer it. */
  readonly owner: string
}

/**
 * The link of a reset by mail was opened in this browser, so the challenge after the sign-in says
 * to open it again. This is only a hint: it holds neither the token nor a digest of it.
 */
export interface OpenedLink {
  readonly userId: string
  /** The id of the reset, which is in the record. */
  readonly reset: string
}

/** A request for a reset by mail. */
export interface LostAsk {
  /** The id of the pending login that asked. */
  readonly login: string
  /** A digest of the address that was typed, right or wrong. */
  readonly address: string
  /** In milliseconds. */
  readonly at: number
}

export interface AdminNotice {
  /** The path of the page. */
  readonly page: string
  readonly action: AdminAction
  /** When the codes were made that a reload asked for too late, in milliseconds. */
  readonly madeAt?: number
  /** A hardware token with a short seed was assigned. */
  readonly weak?: true
  /** It was made to several users. */
  readonly bulk?: BulkNotice
  /** It was to be made to these users, and needs a fresh code first: ids of the host. */
  readonly picked?: readonly string[]
}

/** For how many users a change was made, for how many it was refused, and who some of these are. */
export interface BulkNotice {
  /** When, in milliseconds. */
  readonly at: number
  /** The admin's browser did not wait for the end. */
  readonly left: boolean
  readonly done: number
  readonly refused: number
  readonly some: readonly { readonly id: string; readonly code: string }[]
}

declare module 'express-session' {
  interface SessionData {
    secondStep?: SecondStepSession
    returnTo?: string
  }
}

const PART = 'the session store'

/** Saves the session; what comes after may rely on it. */
export function saveSession(req: Request): Promise<void> {
  return inTime(req, () => savedNow(req))
}

/** The same without a limit in time, for what has a limit of its own. */
export function savedNow(req: Request): Promise<void> {
  return settled(req, (done) => saveOnce(req.session, done))
}

/**
 * Puts an empty session with a new id in place of the present one, which is destroyed. Without a limit in
 * time, for what has a limit of its own.
 */
export function regeneratedNow(req: Request): Promise<void> {
  return settled(req, (done) => regenerateOwn(req, done))
}

/** Runs a call of the session's store, unless the response has let go of the session. */
export function settled(
  req: Request,
  run: (done: (error?: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (detached.has(req)) throw new UnavailableError(PART)
    run((error) => (error ? reject(error) : resolve()))
  })
}

/** Runs a call of the session's store; where it fails, the response lets go of the session. */
export async function inTime(req: Request, call: () => Promise<void>): Promise<void> {
  try {
    await withTimeout(PART, call, guardStateOf(req).site.timeout)
  } catch (error) {
    detachSession(req)
    throw error
  }
}

/** The keys of a session that a regeneration is to keep, with their values. */
export function keptKeys(
  req: Request,
  keeps: (key: string) => boolean,
): ReadonlyArray<readonly [string, unknown]> {
  return Object.keys(req.session)
    .filter(keeps)
    .map((key) => [key, Reflect.get(req.session, key)] as const)
}

/** Takes the login out of the session: the users of all Passport instances, and our key. */
export function removeLogin(site: Pick<Site, 'passports'>, req: Request): void {
  if (!req.session) return
  for (const key of ['secondStep', ...passportKeys(req, site.passports)]) {
    Reflect.deleteProperty(req.session, key)
  }
}

/** Writes part of our key; the rest of it stays. */
export function updateSecondStep(req: Request, part: SecondStepSession): void {
  req.session.secondStep = { ...req.session.secondStep, ...part }
}

/**
 * The parts of our key that belong to the browser: kept when a login begins again or is cancelled.
 */
export function keptOfBrowser(secondStep: SecondStepSession = {}): SecondStepSession {
  const { openedLink } = secondStep
  return openedLink === undefined ? {} : { openedLink }
}

/** Our part of the session without the path that the visitor is led to now. */
export function withoutNext(req: Request): SecondStepSession {
  const { next: _, ...others } = req.session.secondStep ?? {}
  return others
}

/** Leaves a notice of the last change for an admin page. */
export async function leaveAdminNotice(req: Request, notice: AdminNotice): Promise<void> {
  updateSecondStep(req, { adminNotice: notice })
  await saveSession(req)
}

/**
 * The same for what took so long that the session may have changed meanwhile: writes it to the session of now, and
 * brings back none that has ended.
 */
export async function leaveLateAdminNotice(req: Request, notice: AdminNotice): Promise<void> {
  await inTime(req, () => settled(req, (done) => req.session.reload(done)))
  await leaveAdminNotice(req, notice)
}

/** Takes the notice that this page shows once, or null. */
export async function takeAdminNotice(req: Request, page: string): Promise<AdminNotice | null> {
  const { adminNotice, ...rest } = req.session.secondStep ?? {}
  if (adminNotice === undefined || adminNotice.page !== page) return null
  req.session.secondStep = rest
  await saveSession(req)
  return adminNotice
}

/** Tells the logins that another `createSecondStep()` has begun in the same session: here they are none. */
type OneOfSites = Pick<Site, 'sessions' | 'upstream'>

/** The pending login, `broken` for something that no version of ours wrote, or null. */
export function pendingOf(site: OneOfSites, req: Request): PendingLogin | 'broken' | null {
  return pendingIn(site, req.session.secondStep)
}

/** The same of our key in a session. */
export function pendingIn(site: OneOfSites, secondStep: unknown): PendingLogin | 'broken' | null {
  if (secondStep === undefined) return null
  const { pending } = Object(secondStep) as { pending?: unknown }
  if (pending === undefined || pending === null) return null
  const { id, userId, epoch, at, passport, subject, stampId, stampVersion } = Object(
    pending,
  ) as Partial<PendingLogin>
  const whole =
    typeof id === 'string' &&
    typeof userId === 'string' &&
    typeof epoch === 'number' &&
    typeof at === 'number' &&
    typeof passport?.instance === 'number' &&
    Array.isArray(subject?.roles)
  if (!whole) return 'broken'
  if (!site.sessions.hasBegun(pending)) return null
  return {
    ...(pending as PendingLogin),
    stampId: typeof stampId === 'string' ? stampId : null,
    stampVersion: numberOf(stampVersion),
  }
}

/** The session's stamp, or null where there is none that can be read. */
export function stampOf(site: OneOfSites, req: Request): Stamp | null {
  return stampIn(site, req.session.secondStep)
}

function stampIn(site: OneOfSites, secondStep: unknown): Stamp | null {
  const { verified, ...told } = Object(secondStep) as Partial<SecondStepSession>
  const stamp = readStamp(verified)
  if (stamp === null || !site.sessions.hasBegun(stamp)) return null
  return stamp.method === 'upstream' ? site.upstream.stampNow({ ...stamp, ...toldBy(told) }) : stamp
}

/** What a provider has told at the login, as far as it can be read. */
function toldBy({ amr, issuer, acr }: SecondStepSession): Pick<Stamp, 'amr' | 'issuer' | 'acr'> {
  return {
    ...(Array.isArray(amr) ? { amr } : {}),
    ...(typeof issuer === 'string' ? { issuer } : {}),
    ...(typeof acr === 'string' ? { acr } : {}),
  }
}

/** What a session holds of a login, or null. */
export function heldIn(site: OneOfSites, session: unknown): HeldLogin | null {
  const { secondStep } = Object(session) as { secondStep?: unknown }
  const pending = pendingIn(site, secondStep)
  if (pending === 'broken') return null
  if (pending !== null) return { kind: 'pending', login: pending }
  const stamp = stampIn(site, secondStep)
  return stamp === null ? null : { kind: 'stamp', login: stamp }
}

/** Version 0.1.0 wrote none. */
function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

const detached = new WeakSet<Request>()
const takenBack = new WeakMap<Request, () => void>()

/** Waits for work of the store's, and takes it back where it fails or the session is released meanwhile. */
export async function detachable(
  req: Request,
  work: Promise<unknown>,
  takeBack: () => void,
): Promise<void> {
  takenBack.set(req, takeBack)
  try {
    await work
  } catch (error) {
    if (takenBack.delete(req)) takeBack()
    throw error
  }
  takenBack.delete(req)
}

/**
 * Hides the session from the response: an answer neither saves it nor sends its id, as with `detachSession`.
 *
 * @returns shows it again, unless it was released meanwhile or the request has another one
 */
export function hideSession(req: Request): () => void {
  if (detached.has(req)) return () => undefined
  const { sessionID } = req
  const put = (value: unknown) =>
    Object.defineProperty(req, 'sessionID', {
      configurable: true,
      enumerable: true,
      writable: true,
      value,
    })
  Object.defineProperty(req, 'sessionID', { configurable: true, get: () => undefined, set: put })
  return () => {
    if (!detached.has(req) && req.sessionID === undefined) put(sessionID)
  }
}

/**
 * Releases a session whose store has just failed: the end of the response neither saves it nor
 * sends its id. Saving would wait for the store again (the answer is due within 2 seconds). A write
 * that was given up may still happen later, and would sign in anybody who has that id. The session
 * can still be read.
 *
 * express-session leaves a session alone whose id is no text. It makes a new one when the store
 * answers late, so the id cannot be set again.
 */
export function detachSession(req: Request): void {
  detached.add(req)
  takenBack.get(req)?.()
  takenBack.delete(req)
  Object.defineProperty(req, 'sessionID', {
    configurable: true,
    get: () => undefined,
    set: () => undefined,
  })
}
