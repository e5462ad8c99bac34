import { compareAndSetCases } from './compare-and-set-cases.js'
import { aRecord, thePolicy } from './documents.js'
import { listCases } from './list-cases.js'
import { lostRecordCases } from './lost-record-cases.js'
import { mailResetListCases } from './mail-reset-list-cases.js'
import { raceCases } from './race-cases.js'
import { readCases } from './read-cases.js'
import { serialCases } from './serial-cases.js'
import type { StoreCase } from './store-under-test.js'
import { userIdCases } from './user-id-cases.js'
import { writeWithCases } from './write-with-cases.js'

/**
 * Tells whether an adapter of the RecordStore port gets it right. Plain cases for any test runner:
 *
 * @example
 * for (const { name, run } of recordStoreCases) {
 *   it(name, () => run(async () => ({ store: myStore(await emptyTable()), another: myStore() })))
 * }
 */
export const recordStoreCases: readonly StoreCase[] = [
  ...compareAndSetCases(aRecord),
  ...compareAndSetCases(thePolicy),
  ...raceCases(aRecord),
  ...raceCases(thePolicy),
  ...userIdCases,
  ...readCases,
  ...lostRecordCases,
  ...listCases,
  ...mailResetListCases,
  ...writeWithCases,
  ...serialCases,
]
