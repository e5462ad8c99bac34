import type { SecondStepEvent } from './event.js'
import type { SecondStepRecord } from './record.js'

/**
 * The result of a pure decision. If nothing changes, `record` is the same object that came in, and
 * nothing is written. Other code gets `answer` and `events` only after the write.
 */
export interface Decision<Answer> {
  readonly record: SecondStepRecord
  readonly answer: Answer
  readonly events: readonly SecondStepEvent[]
}
