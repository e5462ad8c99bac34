import { isAhead } from '../factors/clock.js'
import { isDigest } from '../factors/kept-digest.js'
import type { Decision } from './decision.js'
import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'
import { forget, ownReset } from './reset.js'
import { DAY_MS, MINUTE_MS } from './units.js'

/** A reset by mail that a pending login has asked for. Times in milliseconds. */
export interface MailReset {
  /** Random; the digests are bound to it, to the user, the epoch and the address. */
  readonly id: string
  /** Id of the key of its digests. Null if version 0.1.0 wrote it, which did not record the key. */
  readonly keyId: string | null
  /** Digest of the address on record when it was asked for: another address ends it. */
  readonly addressDigest: string
  /** Digests of the tokens that were mailed: the first mail's and, after a wait, the second's. */
  readonly digests: readonly string[]
  readonly askedAt: number
  /** The link works from then on. Later than `askedAt` if there is a wait. */
  readonly usableAt: number
  readonly expiresAt: number
  /** Whether the mail that says "ready" is out, or none is needed. */
  readonly readyTold: boolean
  /** Who asked. The owner sees it, and decides by it. */
  readonly ip: string | null
  readonly userAgent: string | null
}

const LINK_LASTS = 30 * MINUTE_MS
const READY_LASTS = DAY_MS

/** The reset by mail that is neither done, nor cancelled, nor expired; or null. */
export function openMailReset({ mailReset }: SecondStepRecord, now: number): MailReset | null {
  if (mailReset === null || isMailResetAhead(mailReset, now)) return null
  return now < mailReset.expiresAt ? mailReset : null
}

/** Whether it was asked for by a clock that is ahead. */
export function isMailResetAhead({ askedAt }: MailReset, now: number): boolean {
  return isAhead(askedAt, now)
}

/**
 * When the link begins to work. 0 without a wait: it works at once, also at a machine whose clock is
 * a little behind the one that has mailed it.
 */
export function worksFrom({ askedAt, usableAt }: MailReset): number {
  return usableAt > askedAt ? usableAt : 0
}

/** An open reset with a wait, over or not. Its owner sees it, and no other reset can begin. */
export function delayedMailReset(record: SecondStepRecord, now: number): MailReset | null {
  const open = openMailReset(record, now)
  return open !== null && worksFrom(open) > 0 ? open : null
}

/** The open reset that one of these digests is of, or null. */
export function mailResetOf(
  record: SecondStepRecord,
  digests: readonly string[],
  now: number,
): MailReset | null {
  const open = openMailReset(record, now)
  return open?.digests.some((digest) => isDigest(digest, digests)) === true ? open : null
}

/** The content of a new reset, without its time. */
export type NewMailReset = Pick<
  MailReset,
  'id' | 'keyId' | 'addressDigest' | 'ip' | 'userAgent'
> & {
  readonly digest: string
  /** The link works from then on. A past time means at once. */
  readonly notBefore: number
}

/**
 * Begins a reset by mail and ends the previous one. While a reset waits, or is ready after a wait,
 * no other begins, because a new request would move its end.
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
 * If the host lifts or shortens its hold on a waiting reset, the wait gets shorter, but never
 * shorter than the delay. Nothing else changes.
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

/** The outcome of pressing the button. `at` is the time, and `epoch` the new epoch. */
export type PressAnswer =
  | { readonly kind: 'reset'; readonly epoch: number; readonly at: number }
  | { readonly kind: 'link-expired' }
  | { readonly kind: 'not-yet'; readonly availableAt: number }

/**
 * Resets by the mailed link: deletes authenticator and codes, and ends sessions and pending logins.
 * For a day, a login leads to the set-up.
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
  const availableAt = Math.max(worksFrom(open), heldUntil)
  if (now < availableAt) return { record, answer: { kind: 'not-yet', availableAt }, events: [] }
  const next = forget(record, ownReset(now))
  return {
    record: next,
    answer: { kind: 'reset', epoch: next.epoch, at: now },
    events: [{ type: 'mail-reset-done', method: null }],
  }
}

/** Ends an open reset by mail, with an event. Drops an expired one without an event. */
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

/**
 * Drops a reset whose mail cannot be sent: nobody has its link, and it must not wait without a
 * warning to the owner.
 */
export function dropMailReset(record: SecondStepRecord, id: string): SecondStepRecord {
  return record.mailReset?.id === id ? { ...record, mailReset: null } : record
}

/** Whether the owner is still to be told that the wait is over. */
export function isReadyDue({ mailReset }: SecondStepRecord, now: number): boolean {
  return mailReset !== null && !mailReset.readyTold && mailReset.usableAt <= now
}

/**
 * Ends the wait: the owner gets one mail with a new link. If the host holds the reset back by now,
 * the wait continues.
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
