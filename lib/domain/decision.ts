import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'

/**
 * What a pure decision yields. `record` is the very object that came in where nothing changes;
 * then nothing is written. `answer` and `events` exist for others only after the write.
 */
export interface Decision<Answer> {
  readonly record: SecondStepRecord
  readonly answer: Answer
  readonly events: readonly SecondStepEvent[]
}
