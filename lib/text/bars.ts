/** One bar of a picture that is 100 high and 10 wide for each place. */
export interface Bar {
  /** Which of the series it is of. */
  readonly series: number
  readonly x: number
  readonly y: number
  readonly height: number
}

/** Bars of the series, one on another: at each place as high as its share of the highest place. */
export function barsOf(series: readonly (readonly number[])[]): readonly Bar[] {
  const highest = highestOf(series)
  if (highest === 0) return []
  return (series[0] ?? []).flatMap((_, place) => {
    let y = 100
    return series.flatMap((values, nth) => {
      const height = round((100 * (values[place] ?? 0)) / highest)
      y = round(y - height)
      return height === 0 ? [] : [{ series: nth, x: 10 * place, y, height }]
    })
  })
}

/** The highest sum of a place. */
export function highestOf(series: readonly (readonly number[])[]): number {
  const sums = (series[0] ?? []).map((_, place) =>
    series.reduce((sum, values) => sum + (values[place] ?? 0), 0),
  )
  return Math.max(0, ...sums)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
