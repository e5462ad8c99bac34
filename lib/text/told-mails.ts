import type { Person, ToldChange, WriteToldMail } from '../service/mails.js'
import { type Fact, withoutLinks } from './facts.js'
import { type MailSite, mailFrames, TOLD_MAIL } from './mail-frame.js'
import type { Translate } from './messages.js'
import { oneLine } from './one-line.js'
import { policyLines } from './policy-lines.js'
import { policyWords } from './policy-words.js'
import { timeShown } from './time-shown.js'
import type { Views } from './views.js'

/** Writes the mails that tell an admin of somebody else's change. */
export function ejsToldMails(
  views: Views,
  site: MailSite & { readonly paths: { readonly admin: string } },
): WriteToldMail {
  const inFrame = mailFrames(views, site)
  return (change, languages, heldBack) => {
    const words = site.messages.for(languages)
    const { t, lang } = words
    const { actor, type } = change.event
    const { issuer } = site
    const who = change.whom === null ? '' : `: ${nameOf(change.whom)}`
    // Only the admin router makes changes of an admin: there is one.
    const link = `${site.origin}${site.paths.admin}/events`
    const look = { text: t('told.look'), button: t('admin.events'), link, until: null }
    const texts = {
      title: `${t(`event.${type}`)}${who}`,
      what: [
        t('told.what', { issuer, actor: actor.kind }),
        ...(heldBack > 0 ? [t('told.held-back', { count: heldBack })] : []),
      ],
      facts: factsOf(change, t, lang),
      actions: actor.kind === 'admin' ? [look] : [],
      wasYou: t('told.known'),
      notYouHeading: t('mail.admin.not-expected'),
      notYou: t('told.not-known'),
    }
    // Those are of other changes, and of other people.
    return inFrame(TOLD_MAIL, texts, words, { heldBack: 0 })
  }
}

function factsOf({ event, by, whom }: ToldChange, t: Translate, lang: string): readonly Fact[] {
  const fact = (label: string, value?: string | null) => (value == null ? [] : [{ label, value }])
  return [
    ...(event.type === 'policy-changed' ? policyFacts(event.detail, t) : []),
    ...fact(t('admin.user.id'), whom?.id),
    ...fact(t('mail.admin.by'), by && `${nameOf(by)} (${by.id})`),
    { label: t('mail.time'), value: timeShown(event.at, t, lang) },
    ...fact(t('mail.admin.reason'), event.reason),
  ]
}

function policyFacts(detail: object, t: Translate): readonly Fact[] {
  return policyLines(detail).map((line) => {
    const { label, now, before } = policyWords(line, t)
    const was = before === undefined ? '' : ` (${t('admin.policy.before')} ${before})`
    return { label: oneLine(`${label} ${line.role ?? ''}`).trim(), value: `${now}${was}` }
  })
}

/** A name that its owner may have chosen. */
function nameOf({ id, name }: Person): string {
  return withoutLinks(name ?? id)
}
