import { AUTHENTICATOR_TYPES } from '../factors/factors.js'
import { browserName } from './browser-name.js'
import type { Translate } from './messages.js'
import { timeShown } from './time-shown.js'

/** A value and its label. */
export interface Fact {
  readonly label: string
  readonly value: string
  /** The value is this moment: ISO 8601. */
  readonly at?: string
}

/** The time, address and browser of an event, for mails and pages. */
export function factsOf(
  { at, ip, userAgent }: { at: Date; ip: string | null; userAgent: string | null },
  t: Translate,
  lang: string,
): readonly Fact[] {
  const { browser, system } = browserName(userAgent)
  const both = browser !== null && system !== null
  return [
    { label: t('mail.time'), value: timeShown(at, t, lang), at: at.toISOString() },
    { label: t('mail.ip'), value: ip ?? t('mail.unknown') },
    {
      label: t('mail.browser'),
      value: both
        ? t('mail.browser-on', { browser, system })
        : (browser ?? system ?? t('mail.unknown')),
    },
  ]
}

/**
 * The name of the device that an event is about, and its serial number. A device without a name is called
 * by its kind. Empty where the event is about none.
 */
export function deviceFacts(
  { detail, method }: { detail: object | null; method: string | null },
  t: Translate,
): readonly Fact[] {
  if (detail === null || !('name' in detail)) return []
  const { name, serial, before } = detail as Record<string, unknown>
  const type = AUTHENTICATOR_TYPES.find((one) => one === method) ?? 'totp'
  const kind = t(`factor.${type}.name`)
  const facts = [
    { label: t('mail.device'), value: name ?? (typeof serial === 'string' ? null : kind) },
    { label: t('device.serial').replace(/\s*:$/u, ''), value: serial },
    { label: t('mail.device-before'), value: before },
  ]
  return facts.flatMap(({ label, value }) =>
    typeof value === 'string' ? [{ label, value: withoutLinks(value) }] : [],
  )
}

/** The trusted browser that an event is about: who brings its old cookie may use another one. */
export function browserFacts({ detail }: { detail: object | null }, t: Translate): readonly Fact[] {
  if (detail === null || !('browser' in detail)) return []
  const { browser } = detail as Record<string, unknown>
  return [
    {
      label: t('mail.trusted-browser'),
      value: typeof browser === 'string' ? browser : t('mail.unknown'),
    },
  ]
}

/**
 * Mail programs make links of addresses. Somebody in a stolen session could name a device by one; a word
 * joiner, which nobody sees, keeps it text.
 */
export function withoutLinks(name: string): string {
  return name.replace(/(?<=\S)[.:@](?=\S)/gu, '$&\u2060')
}
