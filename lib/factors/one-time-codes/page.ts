import { isGood, type OneTimeCode } from './kept.js'

/** Whether the challenge has to offer the field: a code is open that this login could be given. */
export function hasOpenOneTimeCode(codes: readonly OneTimeCode[], now: number): boolean {
  return codes.some((code) => code.usedAt === null && isGood(code, now))
}
