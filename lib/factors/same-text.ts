import { timingSafeEqual } from 'node:crypto'

/** Whether two texts are equal. Its time reveals only their lengths. */
export function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
