import { isAhead } from '../factors/clock.js'

/**
 * When codes were wrong, in the order in which they were, by the clocks of all machines. A miss has
 * the date of the machine that judged the code. If that date is ahead of another machine's clock,
 * this one adds its own when it sees the miss: a date is of the same miss as the one before it if
 * it is more than a minute earlier. So each miss ages by every clock, and no clock takes it from
 * another.
 */
export type MissDates = readonly number[]

/** The dates of one miss, the one by the fastest clock first. */
type Miss = readonly [number, ...number[]]

/** The most dates of one miss. */
const CLOCKS_AT_MOST = 4

/** The date of each miss by the clock that says `now`, the oldest first. */
export function datesBy(dates: MissDates, now: number): readonly number[] {
  let latest = 0
  return missesOf(dates).map((miss) => {
    // No miss is older than the one before it, whatever a slower clock has dated it.
    latest = Math.max(latest, dateBy(miss, now) ?? now)
    return latest
  })
}

/** Dates now what is dated ahead, so that it ages from now on. */
export function dateAhead(dates: MissDates, now: number): MissDates {
  const misses = missesOf(dates)
  const isDated = (miss: Miss) => dateBy(miss, now) !== null
  if (misses.every(isDated)) return dates
  return misses.flatMap((miss) => (isDated(miss) ? miss : atMost(...miss, now)))
}

/**
 * Adds a miss. Only the number of misses is bounded, because a clock far ahead would drop by age
 * what others still count.
 *
 * @param cap how many misses are kept, the newest
 */
export function missedNow(dates: MissDates, now: number, cap: number): MissDates {
  const misses = missesOf(dateAhead(dates, now))
  const lead = leadOf(misses, now)
  const miss: Miss = lead > 0 ? [now + lead, now] : [now]
  return newest([...misses, miss], cap).flat()
}

/** Without the misses that are as old as this. Only a clock that is right may say so. */
export function newerThan(dates: MissDates, age: number, now: number): MissDates {
  const by = datesBy(dates, now)
  const young = (_miss: Miss, index: number) => (by[index] ?? now) > now - age
  return by.every((at) => at > now - age) ? dates : missesOf(dates).filter(young).flat()
}

/** As many misses as so many times these, rounded up: each repeated, or the newest of some. */
export function scaledMisses(dates: MissDates, ratio: number): MissDates {
  const upTo = (nth: number) => Math.ceil(nth * ratio)
  const misses = missesOf(dates)
  return misses.flatMap((miss, index) => {
    const fromNewest = misses.length - 1 - index
    const copies = upTo(fromNewest + 1) - upTo(fromNewest)
    return Array.from({ length: copies }, () => miss).flat()
  })
}

/** With so many misses more of a time, in the place that it has among the others. */
export function withMissesAt(
  dates: MissDates,
  at: number,
  { count, now }: { readonly count: number; readonly now: number },
): MissDates {
  const misses = missesOf(dates)
  const later = datesBy(dates, now).findIndex((missedAt) => missedAt > at)
  const place = later === -1 ? misses.length : later
  const added = Array.from({ length: count }, () => at)
  return [...misses.slice(0, place).flat(), ...added, ...misses.slice(place).flat()]
}

function missesOf(dates: MissDates): readonly Miss[] {
  const misses: [number, ...number[]][] = []
  let before = 0
  for (const at of dates) {
    const last = misses.at(-1)
    if (last !== undefined && isAhead(before, at)) last.push(at)
    else misses.push([at])
    before = at
  }
  return misses
}

/** Null: this clock has not dated the miss yet, and all its dates are ahead. */
function dateBy(miss: Miss, now: number): number | null {
  return miss.find((at) => !isAhead(at, now)) ?? null
}

/**
 * How far the fastest clock is ahead of this one, by the last miss that both have dated. 0 once that
 * miss is no longer ahead: from then on, the other clock has it too old by less than this.
 */
function leadOf(misses: readonly Miss[], now: number): number {
  const miss = misses.findLast(([fastest]) => isAhead(fastest, now))
  return miss === undefined ? 0 : miss[0] - (dateBy(miss, now) ?? now)
}

/**
 * The newest misses. What is dropped leaves the dates by faster clocks to the miss after it: by
 * those clocks, that one and all later ones are not older.
 */
function newest(misses: readonly Miss[], cap: number): readonly Miss[] {
  const [oldest, next, ...rest] = misses
  if (misses.length <= cap || oldest === undefined || next === undefined) return misses
  const [first = next[0], ...others] = oldest.filter((at) => isAhead(at, next[0]))
  const carried: Miss = isAhead(first, next[0]) ? atMost(first, ...others, ...next) : next
  return newest([carried, ...rest], cap)
}

/** Drops the dates between those of the fastest clocks and of the slowest one. */
function atMost(...[first, ...slower]: Miss): Miss {
  if (slower.length < CLOCKS_AT_MOST) return [first, ...slower]
  return [first, ...slower.slice(0, CLOCKS_AT_MOST - 2), ...slower.slice(-1)]
}
