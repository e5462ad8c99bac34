import type { Accepted } from '../../lib/domain/accepted-methods.js'
import type { Decision } from '../../lib/domain/decision.js'
import type { PendingLogin } from '../../lib/domain/pending-login.js'
import { judgeProof } from '../../lib/domain/proof.js'
import type { ProofVerdict } from '../../lib/domain/proof-verdict.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { TOUCHES_NOTHING } from '../../lib/domain/touches.js'
import { backupCodes } from '../../lib/factors/backup-codes/backup-codes.js'
import type { Ceremonies } from '../../lib/factors/ceremony.js'
import type { Keys } from '../../lib/factors/factor.js'
import type { Proof } from '../../lib/factors/factors.js'
import { oneTimeCodes } from '../../lib/factors/one-time-codes/one-time-codes.js'
import { totp } from '../../lib/factors/totp/totp.js'
import { deepFreeze, KEY_IDS, NOW, SECRET } from './records.js'

/** Keys for which every sealed secret is `SECRET`, and every code is its own digest. */
export function keysWith(parts: Partial<Keys> = {}): Keys {
  return {
    keyIds: KEY_IDS,
    open: async () => ({ secret: SECRET, stale: false }),
    seal: async () => 'sealed for its live use',
    digests: async (code) => [code],
    ...parts,
  }
}

/** A code of the authenticator. */
export const otp = (code: string): Proof => [{ factor: totp, given: code }]

/** A backup code with this digest. */
export const backupCode = (digest: string): Proof => [{ factor: backupCodes, given: digest }]

/** A one-time code with this digest. */
export const oneTimeCode = (digest: string): Proof => [{ factor: oneTimeCodes, given: digest }]

/** What is look-up code and has no other shape: both factors are asked, as at a challenge. */
export const lookUpCode = (digest: string): Proof => [
  { factor: oneTimeCodes, given: digest },
  { factor: backupCodes, given: digest },
]

export interface Given {
  readonly window?: number
  readonly now?: number
  readonly pending?: PendingLogin | null
  /** Whether the policy accepts backup codes. */
  readonly accepted?: boolean
  /** The methods that the rules of the user's roles accept. Default: all. */
  readonly rule?: Accepted
  readonly keys?: Keys
  /** The domain that security keys are for. Null: the host has none. */
  readonly rpId?: string | null
}

/** No rule says what counts. */
export const NO_RULES = { accepted: null, routes: [], touches: TOUCHES_NOTHING }

/** Judges a proof; what came in and what comes out is frozen. */
export async function judge(
  record: SecondStepRecord,
  proof: Proof,
  {
    window = 1,
    now = NOW,
    pending = null,
    accepted = true,
    rule = null,
    keys = keysWith(),
    rpId = null,
  }: Given = {},
): Promise<Decision<ProofVerdict>> {
  const context = {
    ...NO_RULES,
    policy: { backupCodes: accepted, version: 1 },
    pending,
    accepted: rule,
  }
  const moment = { now, window, keys, ...(rpId !== null && { ceremonies: ceremoniesOf(rpId) }) }
  return deepFreeze(await judgeProof(record, proof, context, moment))
}

/** No key was asked anything, and none has a right answer. */
function ceremoniesOf(rpId: string): Ceremonies {
  const relyingParty = { rpId, origins: [], userVerification: 'discouraged' as const }
  const checks = { assertion: async () => null, registration: async () => null }
  return { relyingParty, checks, asked: null }
}
