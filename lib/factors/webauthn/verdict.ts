import type { KeyState } from '../ceremony.js'
import type { FactorAnswer } from '../factor.js'
import type { WebauthnAuthenticator } from './kept.js'

/**
 * Decides on a signature that is good. A counter that has not moved on is that of a copy (WebAuthn Level
 * 3, §6.1.1): nobody knows which of the two its owner has, so neither opens anything any more.
 */
export function judgeSignature(
  kept: WebauthnAuthenticator,
  { counter, backupEligible, backedUp }: KeyState,
  now: number,
): FactorAnswer<WebauthnAuthenticator> {
  // §7.2: it never changes in the life of a key.
  if (backupEligible !== kept.backupEligible) return { kind: 'wrong' }
  const counts = counter > 0 || kept.counter > 0
  if (counts && counter <= kept.counter) {
    return { kind: 'copied', kept: { ...kept, suspendedAt: now } }
  }
  return { kind: 'right', kept: { ...kept, counter, backedUp, lastUsedAt: now }, events: [] }
}
