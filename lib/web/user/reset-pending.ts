import { delayedMailReset } from '../../domain/mail-reset.js'
import type { SecondStepRecord } from '../../domain/record.js'
import { isKeyGone } from '../../factors/key-status.js'
import type { Site } from '../request/site.js'

/**
 * When a reset by mail with a wait, over or not, can be used. Null if there is none, or its
 * key is gone from the ring, so that no link of it is right. A reset without a wait is not shown: it would
 * reveal that the address was right.
 */
export function resetPendingOf(
  { lost, system, keyIds }: Pick<Site, 'lost' | 'system' | 'keyIds'>,
  record: SecondStepRecord,
): Date | null {
  const reset = lost === null ? null : delayedMailReset(record, system.now())
  return reset === null || isKeyGone(reset.keyId, keyIds) ? null : new Date(reset.usableAt)
}

/** The same as the wire has it. */
export function resetPendingShown(
  site: Pick<Site, 'lost' | 'system' | 'keyIds'>,
  record: SecondStepRecord,
): { readonly availableAt: string } | null {
  const from = resetPendingOf(site, record)
  return from === null ? null : { availableAt: from.toISOString() }
}
