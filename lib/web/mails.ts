import { FEW_BACKUP_CODES } from '../domain/backup-codes.js'
import type { AnnouncedEvent } from '../service/announcer.js'
import { ADMIN_MAILS, isByAdmin, MAILS, type MailName, type WriteMail } from '../service/mails.js'
import { adminMailTexts, type MailTexts } from './admin-mails.js'
import { browserName } from './browser-name.js'
import type { Messages, Translate } from './messages.js'
import type { Site } from './site.js'
import { timeShown } from './time-shown.js'
import type { Views } from './views.js'

/** What a mail's view sees. Every text is plain: the view escapes it. */
export interface MailFrame {
  readonly t: Translate
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  readonly issuer: string
  /** Which mail it is. */
  readonly mail: MailName
  readonly title: string
  /** What happened, a paragraph each. */
  readonly what: readonly string[]
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  /** What to do if it was the reader. */
  readonly wasYou: string
  /** The heading of what to do if it was somebody else. */
  readonly notYouHeading: string
  /** What to do if it was somebody else. */
  readonly notYou: string
  /** The settings page. */
  readonly link: string
}

type Event = AnnouncedEvent<MailName>

/**
 * Writes mails by EJS. All have the view `mails/notice`, once `.html.ejs` and once `.txt.ejs`; a
 * host's folder may have others of these names, or one for a single mail: `mails/reset.html.ejs`.
 */
export function ejsMails(
  views: Views,
  site: { readonly messages: Messages } & Pick<Site, 'issuer' | 'origin' | 'paths'>,
): WriteMail {
  const viewOf = (mail: MailName, ending: 'html' | 'txt') => {
    const own = `mails/${mail}.${ending}.ejs`
    return views.has(own) ? own : `mails/notice.${ending}.ejs`
  }
  for (const mail of [...MAILS, ...ADMIN_MAILS]) {
    views.compile(viewOf(mail, 'html'))
    views.compile(viewOf(mail, 'txt'))
  }
  return (event, languages, by = null) => {
    const { t, lang, dir } = site.messages.for(languages)
    const { issuer } = site
    const texts = isByAdmin(event)
      ? adminMailTexts(event, { issuer, t, lang, by })
      : ownMailTexts(event, issuer, t, lang)
    const link = `${site.origin}${site.paths.secondStep}/`
    const frame: MailFrame = { t, lang, dir, issuer, mail: event.type, ...texts, link }
    return {
      subject: oneLine(t('mail.subject', { issuer, title: texts.title })),
      text: views.write(viewOf(event.type, 'txt'), frame),
      html: views.write(viewOf(event.type, 'html'), frame),
    }
  }
}

/** What the mail about the user's own act says. */
function ownMailTexts(event: Event, issuer: string, t: Translate, lang: string): MailTexts {
  return {
    title: t(`mail.${event.type}.title`),
    what: whatHappened(event, issuer, t, lang),
    facts: factsOf(event, t, lang),
    wasYou: t(isAboutTries(event) ? 'mail.were-your-tries' : 'mail.was-you'),
    notYouHeading: t('mail.not-you'),
    notYou: t(`mail.${event.type}.not-you`, { issuer }),
  }
}

function whatHappened(event: Event, issuer: string, t: Translate, lang: string): readonly string[] {
  if (event.type === 'authenticator-locked') {
    return [t('mail.authenticator-locked.what', { until: timeShown(event.detail.until, t, lang) })]
  }
  const what = t(`mail.${event.type}.what`, { issuer })
  if (event.type !== 'backup-code-used') return [what]
  const count = event.detail.backupCodesLeft
  const left = t('mail.backup-code-used.left', { count })
  const low = count > 0 && count <= FEW_BACKUP_CODES
  return low ? [what, left, t('mail.backup-code-used.few')] : [what, left]
}

function isAboutTries({ type }: Event): boolean {
  return type === 'authenticator-locked' || type === 'pending-login-used-up'
}

function factsOf({ at, ip, userAgent }: Event, t: Translate, lang: string): MailFrame['facts'] {
  const { browser, system } = browserName(userAgent)
  const both = browser !== null && system !== null
  return [
    { label: t('mail.time'), value: timeShown(at, t, lang) },
    { label: t('mail.ip'), value: ip ?? t('mail.unknown') },
    {
      label: t('mail.browser'),
      value: both
        ? t('mail.browser-on', { browser, system })
        : (browser ?? system ?? t('mail.unknown')),
    },
  ]
}

/** A header is one line, whatever the host's texts hold. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
