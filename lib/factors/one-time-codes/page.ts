import type { OneTimeCode } from './kept.js'

/** Whether the challenge has to offer the field: a code is open that this login could be given. */
export function hasOpenOneTimeCode(codes: readonly OneTimeCode[], now: number): boolean {
  return codes.some(({ expiresAt, usedAt }) => usedAt === null && now < expiresAt)
}
