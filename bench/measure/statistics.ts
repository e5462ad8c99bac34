/** A median with the quartiles around it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  return { median: at(sorted, 0.5), low: at(sorted, 0.25), high: at(sorted, 0.75) }
}

/** The value that this part of all values is not above. */
export function quantile(values: readonly number[], part: number): number {
  return at(
    [...values].sort((left, right) => left - right),
    part,
  )
}

function at(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  if (below === undefined || above === undefined) throw new Error('no values')
  return below + (above - below) * (place - Math.floor(place))
}
