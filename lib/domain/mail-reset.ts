import { isAhead } from '../factors/clock.js'
import type { Decision } from './decision.js'
import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'
import { forget, OWN_RESET_LASTS } from './reset.js'
import { DAY_MS, MINUTE_MS } from './units.js'

/** A reset by mail that a pending login has asked for. Times in milliseconds. */
export interface MailReset {
  /** Random; the digests are bound to it, to the user, the epoch and the address. */
  readonly id: string
  /** Id of the key that its digests are made with; null where version 0.1.0 has not noted it. */
  readonly keyId: string | null
  /** Digest of the address on record when it was asked for: another address ends it. */
  readonly addressDigest: string
  /** Digests of the tokens that were mailed: the first mail's and, after a wait, the second's. */
  readonly digests: readonly string[]
  readonly askedAt: number
  /** From when on the link can be used; later than `askedAt` where there is a wait. */
  readonly usableAt: number
  readonly expiresAt: number
  /** Whether the mail that says "ready" is out, or none is needed. */
  readonly readyTold: boolean
  /** Who asked: shown to the owner, who decides by it. */
  readonly ip: string | null
  readonly userAgent: string | null
}

const LINK_LASTS = 30 * MINUTE_MS
const READY_LASTS = DAY_MS

/** The reset by mail that is neither done, nor cancelled, nor expired; or null. */
export function openMailReset({ mailReset }: SecondStepRecord, now: number): MailReset | null {
  if (mailReset === null || isAhead(mailReset.askedAt, now)) return null
  return now < mailReset.expiresAt ? mailReset : null
}

/** An open reset that has or had to wait: it is shown to its owner, and nothing begins another. */
export function delayedMailReset(record: SecondStepRecord, now: number): MailReset | null {
  const open = openMailReset(record, now)
  return open !== null && open.usableAt > open.askedAt ? open : null
}

/** The open reset that one of these digests is of, or null. */
export function mailResetOf(
  record: SecondStepRecord,
  digests: readonly string[],
  now: number,
): MailReset | null {
  const open = openMailReset(record, now)
  return open?.digests.some((digest) => digests.includes(digest)) === true ? open : null
}

/** What a reset begins with, besides its time. */
export type NewMailReset = Pick<
  MailReset,
  'id' | 'keyId' | 'addressDigest' | 'ip' | 'userAgent'
> & {
  readonly digest: string
  /** From when on the link may be used; a time that is over means at once. */
  readonly notBefore: number
}

/**
 * Begins a reset by mail and ends the one before. While one waits, or is ready after a wait, nothing
 * begins: asking again would move its end.
 */
export function askMailReset(
  record: SecondStepRecord,
  { digest, notBefore, ...asked }: NewMailReset,
  now: number,
): Decision<MailReset | null> {
  if (delayedMailReset(record, now) !== null) return { record, answer: null, events: [] }
  const waits = notBefore > now
  const usableAt = waits ? notBefore : now
  const expiresAt = usableAt + (waits ? READY_LASTS : LINK_LASTS)
  const mailReset: MailReset = {
    ...asked,
    digests: [digest],
    askedAt: now,
    usableAt,
    expiresAt,
    readyTold: !waits,
  }
  const detail = { usableAt: new Date(usableAt), expiresAt: new Date(expiresAt) }
  return {
    record: { ...record, mailReset },
    answer: mailReset,
    events: [{ type: 'mail-reset-asked', method: null, detail }],
  }
}

/**
 * Where the host holds a reset that waits no longer, or less long, the wait gets shorter, never than
 * the delay. Nothing else changes.
 */
export function shortenMailReset(
  record: SecondStepRecord,
  { delay, heldUntil }: { delay: number; heldUntil: number },
  now: number,
): Decision<null> {
  const waiting = delayedMailReset(record, now)
  const nothing = { record, answer: null, events: [] }
  if (waiting === null || waiting.readyTold || now <= waiting.askedAt) return nothing
  const usableAt = Math.max(waiting.askedAt + delay, heldUntil, now)
  if (usableAt >= waiting.usableAt) return nothing
  const mailReset = { ...waiting, usableAt, expiresAt: usableAt + READY_LASTS }
  return { ...nothing, record: { ...record, mailReset } }
}

/** What came of the button's press; `at` is when, and `epoch` the one that goes on. */
export type PressAnswer =
  | { readonly kind: 'reset'; readonly epoch: number; readonly at: number }
  | { readonly kind: 'link-expired' }
  | { readonly kind: 'not-yet'; readonly availableAt: number }

/**
 * Resets by the mailed link: authenticator, codes, sessions and pending logins are gone, and for a
 * day the login leads to the set-up.
 *
 * @param command.digests of the token, under every key of the ring
 * @param command.heldUntil the host holds resets back until then, whatever the reset says
 */
export function pressMailReset(
  record: SecondStepRecord,
  { digests, heldUntil }: { digests: readonly string[]; heldUntil: number },
  now: number,
): Decision<PressAnswer> {
  const open = mailResetOf(record, digests, now)
  if (open === null) return { record, answer: { kind: 'link-expired' }, events: [] }
  const availableAt = Math.max(open.usableAt, heldUntil)
  if (now < availableAt) return { record, answer: { kind: 'not-yet', availableAt }, events: [] }
  const next = forget(record, { until: now + OWN_RESET_LASTS })
  return {
    record: next,
    answer: { kind: 'reset', epoch: next.epoch, at: now },
    events: [{ type: 'mail-reset-done', method: null }],
  }
}

/** Ends an open reset by mail, and says so; one that has expired is dropped in silence. */
export function endMailReset(
  record: SecondStepRecord,
  now: number,
): { readonly record: SecondStepRecord; readonly events: readonly SecondStepEvent[] } {
  if (record.mailReset === null) return { record, events: [] }
  const open = openMailReset(record, now) !== null
  return {
    record: { ...record, mailReset: null },
    events: open ? [{ type: 'mail-reset-cancelled', method: null }] : [],
  }
}

/** Drops a reset whose mail can't go out: nobody has its link, and it must not wait unannounced. */
export function dropMailReset(record: SecondStepRecord, id: string): SecondStepRecord {
  return record.mailReset?.id === id ? { ...record, mailReset: null } : record
}

/** Whether the owner is still to be told that the wait is over. */
export function isReadyDue({ mailReset }: SecondStepRecord, now: number): boolean {
  return mailReset !== null && !mailReset.readyTold && mailReset.usableAt <= now
}

/**
 * The wait is over: the owner is told, once, with a link of its own. Where the host holds the reset
 * back by now, the wait goes on.
 *
 * @returns the reset to tell of, or null where there is nothing to tell
 */
export function tellMailResetReady(
  record: SecondStepRecord,
  { digest, heldUntil }: { digest: string; heldUntil: number },
  now: number,
): Decision<MailReset | null> {
  const { mailReset } = record
  const due = isReadyDue(record, now) ? mailReset : null
  if (due === null) return { record, answer: null, events: [] }
  if (now >= due.expiresAt) return { ...endMailReset(record, now), answer: null }
  if (heldUntil > now) {
    const held = { ...due, usableAt: heldUntil, expiresAt: heldUntil + READY_LASTS }
    return { record: { ...record, mailReset: held }, answer: null, events: [] }
  }
  const told = { ...due, readyTold: true, digests: [...due.digests, digest] }
  const detail = { expiresAt: new Date(due.expiresAt) }
  return {
    record: { ...record, mailReset: told },
    answer: told,
    events: [{ type: 'mail-reset-ready', method: null, detail }],
  }
}
