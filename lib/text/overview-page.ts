import { NO_PAUSES, type Pauses } from '../domain/pause.js'
import { STATES, type State } from '../domain/state.js'
import type { Counted, OverviewNow } from '../service/overview.js'
import { type Bar, barsOf, highestOf } from './bars.js'
import { isoTime } from './iso-time.js'
import type { ShownDay, ShownOverview } from './shown-overview.js'

/** A picture of the days, and the numbers behind it. There are texts for it and each series: `admin.picture.<kind>`. */
export interface Picture {
  readonly kind: 'growth' | 'attempts'
  readonly bars: readonly Bar[]
  readonly highest: number
  readonly series: readonly {
    readonly kind: 'total' | 'accepted' | 'wrong'
    readonly values: readonly number[]
  }[]
}

/** What the page has. */
export interface OverviewPage {
  readonly problem: null
  readonly overview: ShownOverview
  readonly states: readonly State[]
  /** When the count began, ISO 8601. Null: nothing was counted yet. */
  readonly countedAt: string | null
  /** How many users the count under way has met. Null: none is under way. */
  readonly soFar: number | null
  /** How many must set up and are late. Null: nobody knows. */
  readonly late: number | null
  /** When the first and the last days of grace end, ISO 8601. Null: nobody has any. */
  readonly graceEnds: { readonly first: string; readonly last: string } | null
  readonly pauses: Pauses
  /** Null where one of the days is not known. */
  readonly lately: Readonly<
    Record<'enrolled' | 'accepted' | 'wrong', { week: number | null; month: number | null }>
  >
  readonly pictures: readonly Picture[]
}

export function overviewPage(seen: OverviewNow, overview: ShownOverview): OverviewPage {
  const { counted, soFar } = seen
  const ends = counted?.isOfAll === true ? counted.counts.graceEnds : null
  return {
    problem: null,
    overview,
    states: STATES,
    countedAt: counted === null ? null : isoTime(counted.at),
    soFar,
    late: lateIn(counted),
    graceEnds: ends && { first: isoTime(ends.first), last: isoTime(ends.last) },
    pauses: counted?.counts.pauses ?? NO_PAUSES,
    lately: {
      enrolled: latelyOf(overview.days, 'enrolled'),
      accepted: latelyOf(overview.days, 'accepted'),
      wrong: latelyOf(overview.days, 'wrong'),
    },
    pictures: [growth(overview), attempts(overview)].filter((one) => one !== null),
  }
}

/** How many are late; null where nobody knows. */
export function lateIn(counted: Counted | null): number | null {
  return counted?.isOfAll === true ? counted.counts.late : null
}

function columnOf(
  days: readonly ShownDay[],
  name: 'enrolled' | 'accepted' | 'wrong',
): readonly number[] | null {
  const known = days.map((day) => day[name]).filter((count) => count !== null)
  return known.length === days.length ? known : null
}

function latelyOf(days: readonly ShownDay[], name: 'enrolled' | 'accepted' | 'wrong') {
  const column = columnOf(days, name)
  const sum = (some: readonly number[]) => some.reduce((all, count) => all + count, 0)
  return { week: column && sum(column.slice(-7)), month: column && sum(column) }
}

/** How many had it at the end of each day, of those who have it now. */
function growth({ enrolled, days }: ShownOverview): Picture | null {
  const column = columnOf(days, 'enrolled')
  if (enrolled === null || column === null) return null
  let after = enrolled
  const values = column.toReversed().map((count) => {
    const atItsEnd = after
    after -= count
    return atItsEnd
  })
  return pictureOf('growth', [{ kind: 'total', values: values.toReversed() }])
}

function attempts({ days }: ShownOverview): Picture | null {
  const [accepted, wrong] = [columnOf(days, 'accepted'), columnOf(days, 'wrong')]
  if (accepted === null || wrong === null) return null
  return pictureOf('attempts', [
    { kind: 'accepted', values: accepted },
    { kind: 'wrong', values: wrong },
  ])
}

function pictureOf(kind: Picture['kind'], series: Picture['series']): Picture {
  const values = series.map((one) => one.values)
  return { kind, series, bars: barsOf(values), highest: highestOf(values) }
}
