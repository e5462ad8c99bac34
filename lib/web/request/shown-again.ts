import type { Request } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import { MINUTE_MS } from '../../domain/units.js'
import { isGoodUntil } from '../../factors/clock.js'
import { isSameText } from '../../factors/same-text.js'
import type { KeptCodes, ShownCodes } from '../../service/shown-codes.js'
import { wantsJson } from './negotiation.js'
import { proofIn } from './proof-field.js'
import { saveSession } from './session.js'
import type { Services } from './site.js'

/** The pages on which codes are shown once; each is the answer to the form of that name. */
export type CodesPage = 'setup' | 'backup-codes' | `admin ${string}`

/** For how long an admin's form that is sent again is taken for a reload. */
const REMEMBERED_FOR = 10 * MINUTE_MS
const REMEMBERED_AT_MOST = 10

/** The input of the form that asks for codes. Null if it is empty or unreadable. */
export function givenOf(req: Request): string | null {
  const proof = proofIn(req)
  if (proof === null) return null
  return JSON.stringify(proof.map(({ factor, given }) => [factor.method, given]))
}

/**
 * Seals the codes of a page for its reload. If that fails, the page shows the codes all the same,
 * because they are the only valid ones by now.
 *
 * @param stamp of the session in which they are shown
 */
export async function keptCodes(
  site: Services,
  stamp: Stamp,
  page: CodesPage,
  shown: ShownCodes,
): Promise<KeptCodes | null> {
  const { id: stampId, userId } = stamp
  return site.showAgain.keep(shown, { userId, stampId, page }).catch((error: unknown) => {
    site.failureReporter.report(error)
    return null
  })
}

/** Keeps the codes of the coming page in the session, for its reload. */
export async function rememberCodes(
  site: Services,
  req: Request,
  stamp: Stamp | null,
  page: CodesPage,
  shown: ShownCodes,
): Promise<void> {
  const kept = stamp === null ? null : await keptCodes(site, stamp, page, shown)
  if (kept === null) return
  putKept(req, [kept, ...othersIn(req, page, kept.at)])
  await saveSession(req).catch((error: unknown) => site.failureReporter.report(error))
}

/**
 * The codes that this session shows on that page, where its form was sent again as it was.
 *
 * @param areLive whether codes are good for something now; those that are not are never shown
 */
export async function shownBefore(
  site: Services,
  req: Request,
  stamp: Stamp | null,
  page: CodesPage,
  areLive: (codes: readonly string[]) => boolean | Promise<boolean>,
): Promise<(ShownCodes & { readonly at: number }) | null> {
  const kept = keptOn(req, page)
  if (wantsJson(req) || stamp === null || kept === null) return null
  const { id: stampId, userId } = stamp
  const shown = await site.showAgain.open(kept, { userId, stampId, page })
  if (shown === null || !isSameText(shown.given ?? '', givenOf(req) ?? '')) return null
  if (!(await areLive(shown.codes))) return null
  return { ...shown, at: kept.at }
}

/** When this session has last shown codes on that page, in milliseconds; null: not lately. */
export function shownAt(site: Services, req: Request, page: CodesPage): number | null {
  const kept = keptOn(req, page)
  if (wantsJson(req) || kept === null) return null
  return isRemembered(kept, site.system.now()) ? kept.at : null
}

/** Whether the session has codes that may be shown again on that page. */
export function hasCodesFor(req: Request, page: CodesPage): boolean {
  return (keptOn(req, page)?.sealed ?? null) !== null
}

/** Whether the session may have codes that a page has shown. */
export function hasCodes(req: Request): boolean {
  return req.session?.secondStep?.shown !== undefined
}

/** The visitor opens another page: from now on the codes are not shown again. */
export async function forgetCodes(req: Request): Promise<void> {
  if (dropCodes(req)) await saveSession(req)
}

/**
 * The same, without saving the session. Keeps the note that an admin has made codes.
 *
 * @returns whether there is something to save
 */
export function dropCodes(req: Request): boolean {
  const kept = keptIn(req)
  if (kept.every(({ sealed }) => sealed === null)) return false
  const byAdmin = kept.filter(({ page }) => page.startsWith('admin '))
  putKept(
    req,
    byAdmin.map((each) => ({ ...each, sealed: null })),
  )
  return true
}

/** The next press makes codes. The session is to be saved. */
export function forgetShownAt(req: Request, page: CodesPage): void {
  putKept(
    req,
    keptIn(req).filter((kept) => kept.page !== page),
  )
}

function putKept(req: Request, kept: readonly KeptCodes[]): void {
  const { shown: _, ...rest } = req.session.secondStep ?? {}
  req.session.secondStep = kept.length === 0 ? rest : { ...rest, shown: kept }
}

function othersIn(req: Request, page: CodesPage, now: number): readonly KeptCodes[] {
  return keptIn(req)
    .filter((kept) => kept.page !== page && isRemembered(kept, now))
    .slice(0, REMEMBERED_AT_MOST - 1)
    .map((kept) => ({ ...kept, sealed: null }))
}

function isRemembered({ at }: KeptCodes, now: number): boolean {
  return isGoodUntil(at + REMEMBERED_FOR, REMEMBERED_FOR, now)
}

function keptOn(req: Request, page: CodesPage): KeptCodes | null {
  return keptIn(req).find((kept) => kept.page === page) ?? null
}

/** The entries in the session. Drops anything that no version of ours wrote. */
function keptIn(req: Request): readonly KeptCodes[] {
  const shown: unknown = req.session.secondStep?.shown
  return Array.isArray(shown) ? shown.filter(isKept) : []
}

function isKept(kept: unknown): kept is KeptCodes {
  const { page, at, sealed } = Object(kept ?? {}) as Partial<KeptCodes>
  return (
    typeof page === 'string' &&
    typeof at === 'number' &&
    (sealed === null || typeof sealed === 'string')
  )
}
