import type { Translate } from './messages.js'

/** How a moment is written: in a sentence, in a list, or the day alone: in a sentence, or in a table. */
export type TimeShape = 'long' | 'medium' | 'date' | 'day'

/** A time as people read it. In UTC, because visitors do not know the server's time zone. */
export function timeShown(
  time: Date,
  t: Translate,
  lang: string,
  shape: TimeShape = 'long',
): string {
  const format = formatOf(lang, shape)
  return isDay(shape) ? format.format(time) : t('mail.utc', { time: format.format(time) })
}

function isDay(shape: TimeShape): boolean {
  return shape === 'date' || shape === 'day'
}

/** To make one takes many times as long as to use it, and a page of users has fifty times to show. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** @param lang of the texts: there are few */
function formatOf(lang: string, shape: TimeShape): Intl.DateTimeFormat {
  const key = `${lang} ${shape}`
  const known = formats.get(key)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat(lang, {
    dateStyle: shape === 'medium' || shape === 'day' ? 'medium' : 'long',
    ...(isDay(shape) ? {} : { timeStyle: 'short' }),
    timeZone: 'UTC',
  })
  formats.set(key, format)
  return format
}

/** An object replacement character: no text has one. */
const PLACE = '\uFFFC'

/** For a message a plain argument is its text and `{name, date, …}` a date: this one is good for both. */
class Placeholder extends Date {
  override toString(): string {
    return PLACE
  }
}

/**
 * The pieces of a text before and after each mention of a moment, so that a page can put an element in
 * between. One piece where the text, a host's own, does not mention it or has a format for it.
 */
export function textAround(t: Translate, key: string, name: string, at: Date): readonly string[] {
  return t(key, { [name]: new Placeholder(at) }).split(PLACE)
}
