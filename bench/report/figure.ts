import type { Spread } from '../measure/statistics.js'

export type Unit = 'ratio' | 'µs' | 'ms' | 'bytes' | 'MiB' | 'count'

/** A line of the table. */
export interface Figure {
  readonly what: string
  readonly unit: Unit
  /** Null where it could not be measured; `note` says why. */
  readonly value: number | Spread | null
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number }
  /** What others have, or the same figure seen from another side. */
  readonly beside?: readonly (readonly [string, number | Spread])[]
  readonly note?: string
  /** Bars of the picture: a group of the chart, each with its name. */
  readonly bars?: { readonly title: string; readonly of: readonly (readonly [string, Spread])[] }
}

export function middle(value: number | Spread): number {
  return typeof value === 'number' ? value : value.median
}

/** "reached", "short by 12 %", or nothing where there is no goal. */
export function verdictOf({ value, goal, unit }: Figure): string {
  if (value === null) return 'no figure'
  if (goal === undefined) return ''
  const has = middle(value)
  const short = 'atLeast' in goal ? goal.atLeast - has : has - goal.atMost
  // A figure is reached as it is shown: 0.948 as 0.95.
  return Number(short.toFixed(decimals(unit))) <= 0 ? 'reached' : `short by ${shown(short, unit)}`
}

export function goalOf({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  return 'atLeast' in goal ? `≥ ${shown(goal.atLeast, unit)}` : `≤ ${shown(goal.atMost, unit)}`
}

export function shownValue(value: number | Spread | null, unit: Unit): string {
  if (value === null) return '–'
  if (typeof value === 'number') return shown(value, unit)
  const { median, low, high } = value
  return `${shown(median, unit)} (${numeral(low, unit)}–${numeral(high, unit)})`
}

function shown(value: number, unit: Unit): string {
  return unit === 'ratio' || unit === 'count'
    ? numeral(value, unit)
    : `${numeral(value, unit)} ${unit}`
}

function numeral(value: number, unit: Unit): string {
  return unit === 'bytes' || unit === 'count'
    ? Math.round(value).toLocaleString('en')
    : value.toFixed(decimals(unit))
}

function decimals(unit: Unit): number {
  return { ratio: 2, µs: 1, ms: 2, bytes: 0, MiB: 1, count: 0 }[unit]
}
