import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/units.js'

const DAYS_AT_MOST = 1000

/** A Date has none after it, and none so far before 1970. */
const LAST_TIME = 100_000_000 * DAY_MS

/** What `toISOString()` writes after the date. */
const TIME_OF_DAY = '00:00:00.000Z'

/** The dates that were written lately, by the number of the day: `2026-11-26T`. */
const dates = new Map<number, string>()

/**
 * A time in milliseconds as `Date.toISOString()` writes it, in a third of the time: a list has one for each
 * of its users.
 *
 * @throws RangeError for what is no time
 */
export function isoTime(time: number): string {
  if (!(Math.abs(time) <= LAST_TIME)) throw new RangeError('no time')
  const day = Math.floor(time / DAY_MS)
  const inDay = Math.floor(time - day * DAY_MS)
  const hours = two(Math.floor(inDay / HOUR_MS))
  const minutes = two(Math.floor(inDay / MINUTE_MS) % 60)
  const seconds = two(Math.floor(inDay / SECOND_MS) % 60)
  const last = String(1000 + (inDay % SECOND_MS)).slice(1)
  return `${dateOf(day)}${hours}:${minutes}:${seconds}.${last}Z`
}

/** From the first to the last millisecond, both included. */
export interface Span {
  readonly first: number
  readonly last: number
}

const DATE_ALONE = /^\d{4}-\d\d-\d\d$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/

/** A whole day (UTC) or a moment, as ISO 8601, from 1970 on. Undefined for any other text. */
export function readSpan(text: string): Span | undefined {
  if (!(DATE_ALONE.test(text) || MOMENT.test(text))) return undefined
  const first = Date.parse(text)
  // `Date.parse` takes 30 February for 2 March.
  const isReal = first >= 0 && new Date(first).toISOString().startsWith(text.slice(0, 10))
  return isReal ? { first, last: DATE_ALONE.test(text) ? first + DAY_MS - 1 : first } : undefined
}

function dateOf(day: number): string {
  const known = dates.get(day)
  if (known !== undefined) return known
  const date = new Date(day * DAY_MS).toISOString().slice(0, -TIME_OF_DAY.length)
  if (dates.size >= DAYS_AT_MOST) dates.clear()
  dates.set(day, date)
  return date
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
