import { explain } from '../errors/explain.js'
import { FEW_BACKUP_CODES } from '../factors/backup-codes/kept.js'
import type { AnnouncedEvent } from '../service/announcer.js'
import {
  ADMIN_MAILS,
  hasAdminsWords,
  isByAdmin,
  MAILS,
  type MailName,
  type WriteMail,
} from '../service/mails.js'
import { adminMailTexts, type MailTexts, reminderDeadline } from './admin-mails.js'
import { browserFacts, deviceFacts, type Fact, factsOf } from './facts.js'
import type { Messages, Translate } from './messages.js'
import { oneLine } from './one-line.js'
import { timeShown } from './time-shown.js'
import { ejsViews, type Views } from './views.js'
import { isAboutTries, lockTexts, triesAdvice, type WarningContext } from './warning-texts.js'
import { besideAdded, besideLost } from './working-texts.js'

/** A link that does something, and what it is for. */
export interface MailAction {
  readonly text: string
  /** What the button says. */
  readonly button: string
  readonly link: string
  /** Until when the link is good, in words; null: that is said with another action. */
  readonly until: string | null
}

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
  readonly facts: readonly Fact[]
  /** What the reader may do by a link. Empty in most mails. */
  readonly actions: readonly MailAction[]
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

/** The views that a host may have for a single mail. */
export const MAIL_VIEWS = [...MAILS, ...ADMIN_MAILS].flatMap((mail) => [
  `mails/${mail}.html.ejs`,
  `mails/${mail}.txt.ejs`,
])

/** The app's data for mails. */
export interface MailSite {
  readonly messages: Messages
  readonly issuer: string
  readonly origin: string
  readonly paths: { readonly secondStep: string }
}

/**
 * Writes mails by EJS. All have the view `mails/notice`, once `.html.ejs` and once `.txt.ejs`; a
 * host's folder may have others of these names, or one for a single mail: `mails/reset.html.ejs`. If
 * such a view fails at a mail's values, ours is sent, because its reader must be warned all the same.
 *
 * @param ours the package's own views
 */
export function ejsMails(views: Views, site: MailSite, ours: Views = ejsViews()): WriteMail {
  const viewOf = (mail: MailName, ending: 'html' | 'txt') => {
    const own = `mails/${mail}.${ending}.ejs`
    return views.has(own) ? own : `mails/notice.${ending}.ejs`
  }
  const written = (name: string, frame: MailFrame, token: string | null): string => {
    try {
      return views.write(name, frame)
    } catch (error) {
      const why = explain(error)
      // What the link opens must be in no log.
      const told = token === null ? why : why.replaceAll(token, '…')
      process.emitWarning(`passport-second-step: the view ${name} failed, so ours is sent: ${told}`)
      return ours.write(`mails/notice${name.slice(name.indexOf('.'))}`, frame)
    }
  }
  const all = [...MAILS, ...ADMIN_MAILS].flatMap((mail) => [
    viewOf(mail, 'html'),
    viewOf(mail, 'txt'),
  ])
  for (const name of new Set(all)) views.check(name)
  return (event, languages, by = null, token = null, heldBack = 0, devices = null) => {
    const { t, lang, dir } = site.messages.for(languages)
    const { issuer } = site
    const texts = hasAdminsWords(event)
      ? adminMailTexts(event, { issuer, t, lang, by, devices })
      : ownMailTexts(event, { issuer, t, lang, devices })
    // Never the host name of a request (couch-auth CVE-2025-70948).
    const link = `${site.origin}${site.paths.secondStep}/`
    const actions = token === null ? [] : resetActions(event, `${link}lost/${token}`, t, lang)
    const facts = texts.facts.map(({ label, value }) => ({ label, value: oneLine(value) }))
    const more = heldBack > 0 ? [t('mail.held-back', { count: heldBack })] : []
    const what = [...texts.what, ...more]
    const both = { ...texts, what, facts, actions, link }
    const frame: MailFrame = { t, lang, dir, issuer, mail: event.type, ...both }
    return {
      subject: oneLine(t('mail.subject', { issuer, title: texts.title })),
      text: written(viewOf(event.type, 'txt'), frame, token),
      html: written(viewOf(event.type, 'html'), frame, token),
    }
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
