import type { AppName } from '../apps/index.js'
import type { Settings } from '../apps/settings.js'
import type { Accounts } from '../measure/accounts.js'
import type { Plan } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'

/** What a scenario is given. Apps are started once and shared by all scenarios of a run. */
export interface Bench {
  /** Few rounds and requests: only wrong answers matter. */
  readonly quick: boolean
  /** An app with its users. */
  accounts(name: AppName): Promise<Accounts>
  /** … several, which start beside each other. In their order. */
  all(names: readonly AppName[]): Promise<Accounts[]>
  /** … or null with the reason on the screen, for what this version cannot do. */
  accountsIfAvailable(name: AppName): Promise<Accounts | null>
  /** An app of the scenario's own, on a Redis of its own; ends with the run. */
  alone(name: AppName, more?: Partial<Settings>): Promise<{ accounts: Accounts; redisUrl: string }>
}

export type Scenario = (bench: Bench) => Promise<readonly Figure[]>

export const PARALLEL = 16

/**
 * Many short rounds rather than few long ones: what else the machine does then falls on all apps of a
 * round alike.
 */
export function roundsOf({ quick }: Bench): Plan {
  return quick ? { rounds: 1, warmUp: 0 } : { rounds: 31, warmUp: 30 }
}
