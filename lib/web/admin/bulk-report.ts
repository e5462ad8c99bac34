import { isoTime } from '../../text/iso-time.js'
import type { PageData } from '../../text/pages.js'
import type { AdminNotice } from '../request/session.js'

/** The texts of a code that say to an admin what is so with a user. Of the others, those of pages do. */
const WHY: Readonly<Record<string, string>> = {
  'not-begun': 'admin.bulk.not-begun',
  'not-enrolled': 'admin.bulk.not-enrolled',
  'not-found': 'refusal.not-found',
  'required-by-policy': 'refusal.required-by-policy',
  'stronger-factor-required': 'admin.not-accepted',
  'too-many-attempts': 'admin.bulk.too-many',
}

/** Who was chosen before a fresh code was asked for. */
export function pickedIn(
  notice: AdminNotice | null,
): NonNullable<PageData['admin-users']['picked']> | null {
  const { action, picked } = notice ?? {}
  return picked === undefined || action === undefined ? null : { action, ids: picked }
}

/** What has just been done to several users, as the page of users tells it. */
export function reportShown(
  notice: AdminNotice | null,
): NonNullable<PageData['admin-users']['report']> | null {
  if (notice?.bulk === undefined) return null
  const { action, bulk } = notice
  // A user is reminded once a day, by whomever.
  const own = action === 'remind' ? { 'too-many-attempts': 'admin.bulk.reminded' } : {}
  const why: typeof WHY = { ...WHY, ...own }
  const some = bulk.some.map(({ id, code }) => ({ id, why: why[code] ?? `problem.${code}` }))
  return { action, ...bulk, some, at: isoTime(bulk.at) }
}
