import { FEW_BACKUP_CODES } from '../factors/backup-codes/kept.js'
import type { AnnouncedEvent } from '../service/announcer.js'
import { hasAdminsWords, isByAdmin, type MailName, type WriteMail } from '../service/mails.js'
import { adminMailTexts, type MailTexts, reminderDeadline } from './admin-mails.js'
import { browserFacts, deviceFacts, type Fact, factsOf } from './facts.js'
import { type MailAction, type MailSite, mailFrames, settingsOf } from './mail-frame.js'
import type { Translate } from './messages.js'
import { timeShown } from './time-shown.js'
import type { Views } from './views.js'
import { isAboutTries, lockTexts, triesAdvice, type WarningContext } from './warning-texts.js'
import { besideAdded, besideLost } from './working-texts.js'

type Event = AnnouncedEvent<MailName>

/**
 * Writes mails by EJS.
 *
 * @param ours the package's own views
 */
export function ejsMails(views: Views, site: MailSite, ours?: Views): WriteMail {
  const inFrame = mailFrames(views, site, ours)
  return (event, languages, by = null, token = null, heldBack = 0, devices = null) => {
    const words = site.messages.for(languages)
    const { t, lang } = words
    const { issuer } = site
    const texts = hasAdminsWords(event)
      ? adminMailTexts(event, { issuer, t, lang, by, devices })
      : ownMailTexts(event, { issuer, t, lang, devices })
    const link = `${settingsOf(site)}lost/${token}`
    const actions = token === null ? [] : resetActions(event, link, t, lang)
    return inFrame(event.type, { ...texts, actions }, words, { heldBack, token })
  }
}

/** The content of the mail about the user's own act. */
function ownMailTexts(event: Event, context: WarningContext): MailTexts {
  const { issuer, t, lang } = context
  return {
    title: t(isUnused(event, context) ? 'event.enrolled' : `mail.${event.type}.title`),
    what: whatHappened(event, context),
    facts: ownFacts(event, t, lang),
    wasYou: wasYou(event, context),
    notYouHeading: t(event.type === 'reminded' ? 'mail.admin.not-expected' : 'mail.not-you'),
    notYou: t(`mail.${event.type}.not-you`, { issuer }),
  }
}

/** Hides the address and browser of an admin. Our reminder has none. */
function ownFacts(event: Event, t: Translate, lang: string): readonly Fact[] {
  const isOurs = event.type === 'reminded' && event.actor.kind === 'system'
  if (!isByAdmin(event) && !isOurs) {
    return [...deviceFacts(event, t), ...browserFacts(event, t), ...factsOf(event, t, lang)]
  }
  return [{ label: t('mail.time'), value: timeShown(event.at, t, lang) }]
}

function whatHappened(event: Event, context: WarningContext): readonly string[] {
  if (event.type === 'authenticator-locked') return lockTexts(event.detail.until, context)
  const { issuer, t, devices } = context
  if (event.type === 'reminded') return reminderTexts(event.detail.until, context)
  if (isUnused(event, context)) return [t('settings.unused-intro', { issuer })]
  const what = t(`mail.${event.type}.what`, { issuer })
  if (event.type === 'authenticator-removed' || event.type === 'authenticator-suspended') {
    return [what, ...besideLost(devices, t)]
  }
  if (event.type === 'authenticator-added') {
    return [what, ...besideAdded(devices, t), ...endedCodes(context)]
  }
  if (event.type === 'key-changed') return [what, ...endedCodes(context)]
  if (event.type !== 'backup-code-used') return [what]
  const count = event.detail.backupCodesLeft
  const left = t('mail.backup-code-used.left', { count })
  const low = count > 0 && count <= FEW_BACKUP_CODES
  return low ? [what, left, t('mail.backup-code-used.few')] : [what, left]
}

function reminderTexts(until: Date | null, { issuer, t, lang }: WarningContext): readonly string[] {
  return [t('mail.reminded.what', { issuer }), ...reminderDeadline(until, t, lang)]
}

/** Set up, and not asked for: the policy is off for the user. */
function isUnused({ type }: Event, { devices }: WarningContext): boolean {
  return type === 'enrolled' && devices?.asked === false
}

/** Who has backup codes now has got them with the device, in place of earlier ones. */
function endedCodes({ t, devices }: WarningContext): readonly string[] {
  return devices?.backupCodes === true ? [t('mail.authenticator-added.codes')] : []
}

function wasYou(event: Event, context: WarningContext): string {
  if (event.type === 'reminded') return context.t('mail.reminded.done')
  if (isAboutTries(event)) return triesAdvice(context)
  return context.t(hasLink(event) ? 'mail.reset-was-you' : 'mail.was-you')
}

function hasLink({ type }: Event): boolean {
  return type === 'mail-reset-asked' || type === 'mail-reset-ready'
}

/** The page of the link has both buttons; while it waits, the way to cancel is named too. */
function resetActions(
  event: Event,
  link: string,
  t: Translate,
  lang: string,
): readonly MailAction[] {
  if (event.type !== 'mail-reset-asked' && event.type !== 'mail-reset-ready') return []
  const until = t('mail.reset-until', { until: timeShown(event.detail.expiresAt, t, lang) })
  const reset = { button: t('mail.reset-button'), link, until }
  const waits = event.type === 'mail-reset-asked' && event.detail.usableAt > event.at
  if (!waits) return [{ text: t('mail.reset-link'), ...reset }]
  const time = timeShown(event.detail.usableAt, t, lang)
  return [
    { text: t('mail.reset-link-later', { time }), ...reset },
    {
      text: t('mail.reset-cancel-link'),
      button: t('mail.reset-cancel-button'),
      link: `${link}#cancel`,
      until: null,
    },
  ]
}
