import type { FactorMethod } from '../factors/factors.js'
import type { SecondStepRecord } from './record.js'

/** The methods whose proofs an action shows, binds or removes. */
export type Touches = (record: SecondStepRecord) => readonly FactorMethod[]

export const TOUCHES_NOTHING: Touches = () => []
