import type { SecondStepRecord } from '../../lib/domain/record.js'
import { getJson } from './answers.js'
import type { Browser } from './browser.js'
import { giveCode } from './browser.js'
import type { Host } from './host.js'
import { pendingBrowser, type Visit } from './visits.js'

/** What the settings page offers, each asked for with a code. */
export const ACTIONS = ['backup-codes', 'change-key', 'show-key', 'reset', 'disable'] as const

export type Action = (typeof ACTIONS)[number]

/** Signs in so many times by a backup code, and leaves as many fewer. */
export async function useBackupCodes(
  { host, enrolment }: Pick<Visit, 'host' | 'enrolment'>,
  count: number,
): Promise<void> {
  for (const code of enrolment.backupCodes.slice(0, count)) {
    await giveCode(await pendingBrowser(host), code).expect(200)
  }
}

/** Whether the browser is signed in at the host. */
export async function isIn(browser: Browser): Promise<boolean> {
  return (await getJson(browser, '/inside')).status === 200
}

/** Whether a code lets Ann in, in a browser of its own. */
export async function letsIn(host: Host, code: string): Promise<boolean> {
  return (await giveCode(await pendingBrowser(host), code)).status === 200
}

/** A record without what any accepted code changes, and without a set-up in progress. */
export function withoutTrace(record: SecondStepRecord): object {
  const { version: _, writeId: __, setup: ___, ...rest } = record
  const authenticators = record.authenticators.map((one) => ({
    ...one,
    lastStep: 0,
    lastUsedAt: null,
  }))
  return { ...rest, authenticators }
}
