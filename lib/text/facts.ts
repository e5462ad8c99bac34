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
