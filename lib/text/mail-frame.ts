import { explain } from '../errors/explain.js'
import { ADMIN_MAILS, MAILS, type MailName, type WriteMail } from '../service/mails.js'
import type { Fact } from './facts.js'
import type { Messages, Translate } from './messages.js'
import { oneLine } from './one-line.js'
import { ejsViews, type Views } from './views.js'

/** The mail about somebody else's change, to an admin. */
export const TOLD_MAIL = 'admins-told'

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
  readonly mail: MailName | typeof TOLD_MAIL
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

/** The views that a host may have for a single mail. */
export const MAIL_VIEWS = [...MAILS, ...ADMIN_MAILS, TOLD_MAIL].flatMap((mail) => [
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

/** Puts a mail's texts into its views. @param more `token`: what its link opens */
export type InFrame = (
  mail: MailFrame['mail'],
  texts: Pick<
    MailFrame,
    'title' | 'what' | 'facts' | 'actions' | 'wasYou' | 'notYouHeading' | 'notYou'
  >,
  words: ReturnType<Messages['for']>,
  more: { readonly heldBack: number; readonly token?: string | null },
) => ReturnType<WriteMail>

/** The settings page. Never the host name of a request (couch-auth CVE-2025-70948). */
export function settingsOf({ origin, paths }: MailSite): string {
  return `${origin}${paths.secondStep}/`
}

/**
 * All mails have the view `mails/notice`, once `.html.ejs` and once `.txt.ejs`; a host's folder may have others of these
 * names, or one for a single mail: `mails/reset.html.ejs`. If such a view fails at a mail's values, ours is sent,
 * because its reader must be warned all the same.
 *
 * @param ours the package's own views
 */
export function mailFrames(views: Views, site: MailSite, ours: Views = ejsViews()): InFrame {
  const viewOf = (mail: MailFrame['mail'], ending: 'html' | 'txt') => {
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
  const all = [...MAILS, ...ADMIN_MAILS, TOLD_MAIL] as const
  const names = all.flatMap((mail) => [viewOf(mail, 'html'), viewOf(mail, 'txt')])
  for (const name of new Set(names)) views.check(name)
  return (mail, texts, { t, lang, dir }, { heldBack, token = null }) => {
    const { issuer } = site
    const facts = texts.facts.map(({ label, value }) => ({ label, value: oneLine(value) }))
    const more = heldBack > 0 ? [t('mail.held-back', { count: heldBack })] : []
    const what = [...texts.what, ...more]
    const link = settingsOf(site)
    const frame: MailFrame = { t, lang, dir, issuer, mail, ...texts, what, facts, link }
    return {
      subject: oneLine(t('mail.subject', { issuer, title: texts.title })),
      text: written(viewOf(mail, 'txt'), frame, token),
      html: written(viewOf(mail, 'html'), frame, token),
    }
  }
}
