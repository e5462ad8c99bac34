import type { KeyIds } from '../key-status.js'
import { hasKey, isOpen, type OneTimeCode } from './kept.js'

/** Whether the challenge must offer the field, because this login could use an open code. */
export function hasOpenOneTimeCode(
  codes: readonly OneTimeCode[],
  keyIds: KeyIds,
  now: number,
): boolean {
  return codes.some((code) => isOpen(code, now) && hasKey(code, keyIds))
}
