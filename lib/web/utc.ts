import type { Translate } from './messages.js'

/** Writes a moment, given in ISO 8601, for people: in UTC, because each reads it in a zone of his own. */
export function utcWriter(t: Translate, lang: string): (iso: string) => string {
  const format = new Intl.DateTimeFormat(lang, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return (iso) => t('mail.utc', { time: format.format(new Date(iso)) })
}
