/**
 * The probability that one of the first took longer than one of the others. Means something only on
 * an idle machine: `npm test` runs a file that imports this module while nothing else runs.
 */
export function longer(first: readonly number[], others: readonly number[]): number {
  const wins = first.flatMap((one) =>
    others.map((other) => (one > other ? 1 : 0) + (one === other ? 0.5 : 0)),
  )
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length
}
