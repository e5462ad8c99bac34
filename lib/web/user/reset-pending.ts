import { delayedMailReset } from '../../domain/mail-reset.js'
import type { SecondStepRecord } from '../../domain/record.js'
import type { Site } from '../request/site.js'

/**
 * From when on a reset by mail that waits, or has waited, can be used; null where there is none. One
 * without a wait is not shown: it would tell whoever asked that the address was right.
 */
export function resetPendingOf(
  { lost, system }: Pick<Site, 'lost' | 'system'>,
  record: SecondStepRecord,
): Date | null {
  const reset = lost === null ? null : delayedMailReset(record, system.now())
  return reset === null ? null : new Date(reset.usableAt)
}

/** The same as the wire has it. */
export function resetPendingShown(
  site: Pick<Site, 'lost' | 'system'>,
  record: SecondStepRecord,
): { readonly availableAt: string } | null {
  const from = resetPendingOf(site, record)
  return from === null ? null : { availableAt: from.toISOString() }
}
