import type { KeyState } from '../ceremony.js'
import type { FactorAnswer } from '../factor.js'
import type { WebauthnAuthenticator } from './kept.js'

/**
 * Decides on a signature that is good. A counter that has not moved on is that of a copy (WebAuthn Level
 * 3, §6.1.1): nobody knows which of the two its owner has, so neither opens anything any more. But one that was
 * asked before the key's last use may have been signed before it: it is too late, and tells of no copy.
 */
export function judgeSignature(
  kept: WebauthnAuthenticator,
  { counter, backupEligible, backedUp }: KeyState,
  { isLate, now }: { readonly isLate: boolean; readonly now: number },
): FactorAnswer<WebauthnAuthenticator> {
  // §7.2: it never changes in the life of a key.
  if (backupEligible !== kept.backupEligible) return { kind: 'wrong' }
  const counts = counter > 0 || kept.counter > 0
  if (counts && counter <= kept.counter) {
    if (isLate) return { kind: 'wrong' }
    return { kind: 'copied', kept: { ...kept, suspendedAt: now } }
  }
  return { kind: 'right', kept: { ...kept, counter, backedUp, lastUsedAt: now }, events: [] }
}
