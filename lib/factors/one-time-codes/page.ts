import { isGood, type OneTimeCode } from './kept.js'

/** Whether the challenge must offer the field, because this login could use an open code. */
export function hasOpenOneTimeCode(codes: readonly OneTimeCode[], now: number): boolean {
  return codes.some((code) => code.usedAt === null && isGood(code, now))
}
