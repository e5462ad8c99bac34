import { RESET_BY_ADMIN_DAYS } from '../domain/administration.js'
import type { MailedDevices } from '../service/mailed-devices.js'
import type { MailedEvent } from '../service/mails.js'
import { deviceFacts } from './facts.js'
import type { MailFrame } from './mail-frame.js'
import type { Translate } from './messages.js'
import { timeShown } from './time-shown.js'
import { besideAdded, besideLost } from './working-texts.js'

/** The content of a mail, without its frame. */
export type MailTexts = Pick<
  MailFrame,
  'title' | 'what' | 'facts' | 'wasYou' | 'notYouHeading' | 'notYou'
>

interface Values {
  readonly issuer: string
  readonly t: Translate
  readonly lang: string
}

/**
 * The content of the mail about a change by an admin or the operator: the change, its time and the reason.
 * Hides the admin's address and browser, and the name unless the host says otherwise.
 */
export function adminMailTexts(
  event: MailedEvent,
  { by, devices, ...values }: Values & { by: string | null; devices: MailedDevices | null },
): MailTexts {
  const { issuer, t, lang } = values
  const named = by === null ? [] : [{ label: t('mail.admin.by'), value: by }]
  const { reason } = event
  const label = t(event.type === 'note' ? 'admin.note.label' : 'mail.admin.reason')
  const given = reason === null ? [] : [{ label, value: reason }]
  return {
    title: t(`mail.admin.${event.type}.title`),
    what: whatHappened(event, values, devices),
    facts: [
      ...deviceFacts(event, t),
      { label: t('mail.time'), value: timeShown(event.at, t, lang) },
      ...named,
      ...given,
    ],
    wasYou: t(event.type === 'reminded' ? 'mail.reminded.done' : 'mail.admin.was-asked'),
    notYouHeading: t('mail.admin.not-expected'),
    notYou: t('mail.admin.not-you', { issuer }),
  }
}

function whatHappened(
  event: MailedEvent,
  { issuer, t, lang }: Values,
  devices: MailedDevices | null,
): readonly string[] {
  const what = `mail.admin.${event.type}.what`
  const who = { issuer, actor: event.actor.kind }
  const unused = devices?.asked === false
  const until = (time: Date) => [t(what, { ...who, until: timeShown(time, t, lang) })]
  if (event.type === 'one-time-code-made') return until(event.detail.expiresAt)
  if (event.type === 'reminded') {
    return [t(what, who), ...reminderDeadline(event.detail.until, t, lang)]
  }
  if (event.type === 'token-assigned') {
    const given = t(what, { ...who, serial: event.detail.serial ?? '' })
    if (unused) return [given, t('settings.unused-intro', { issuer })]
    const isOnly = devices?.count === 1
    const more = isOnly
      ? [t('mail.admin.token-assigned.only', { issuer })]
      : besideAdded(devices, t)
    return [given, t('mail.admin.token-assigned.asked'), ...more]
  }
  if (event.type === 'authenticator-removed') {
    return [t(what, who), ...besideLost(devices, t)]
  }
  if (event.type === 'reset') {
    const next = unused
      ? t('settings.unused-off-intro', { issuer })
      : t('mail.admin.reset.days', { count: RESET_BY_ADMIN_DAYS })
    return [t(what, who), next]
  }
  if (event.type === 'resumed') {
    const next = unused ? t('settings.unused-intro', { issuer }) : t('mail.admin.resumed.asked')
    return [t(what, who), next]
  }
  if (event.type !== 'paused') return [t(what, who)]
  return event.detail.until === 'forever'
    ? [t('mail.admin.paused.what-forever', who)]
    : until(event.detail.until)
}

/** Until when it is to be set up, where it is required. */
export function reminderDeadline(
  until: Date | null,
  t: Translate,
  lang: string,
): readonly string[] {
  return until === null ? [] : [t('mail.reminded.until', { until: timeShown(until, t, lang) })]
}
