import type { Random } from './random.js'
import type { Places } from './users.js'

/** What a fault has done, until it is over. */
export interface Harm {
  readonly target: string
  /** Milliseconds that it lasts. */
  readonly lasts: number
  /** Stops doing harm. What it broke comes back by itself, or is started again as a supervisor does. */
  heal(): Promise<void>
  /** Whether all is in service again. */
  isOver(): Promise<boolean>
}

/** A kind of fault. */
export interface FaultKind {
  readonly name: string
  /** What its servers have answered may be lost: this strikes only where it is named. */
  readonly loses?: boolean
  strike(random: Random): Promise<Harm>
}

/** What the apps stand on: their data, and the faults that it may have. */
export interface Ground {
  /** In a few words, for the report. */
  readonly name: string
  /** What the example app's environment needs to stand on it. */
  readonly environment: Readonly<Record<string, string>>
  readonly faults: readonly FaultKind[]
  /** The stores of the apps, opened as they open them. */
  open(): Promise<Places & { close(): Promise<void> }>
  stop(): Promise<void>
}
