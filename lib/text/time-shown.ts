import type { Translate } from './messages.js'

/** A moment as people read it, in UTC: what the server's own zone is, no visitor knows. */
export function timeShown(time: Date, t: Translate, lang: string): string {
  const format = new Intl.DateTimeFormat(lang, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return t('mail.utc', { time: format.format(time) })
}
