import type { ProofAnswer, ProofAttempt } from '../service/challenge.js'
import type { Exchange } from './handler.js'
import { pagePath } from './page-path.js'
import { malformed, type Problem } from './problem.js'
import { proofAttempt } from './proof-attempt.js'
import { proofIn } from './proof-field.js'
import type { PendingVisitor, SignedInVisitor } from './visitor.js'

type Refusal = { readonly kind: 'required-by-policy' | 'switched-off' }

/** What came of an action that is asked for with a proof: it was done, or a problem to answer with. */
export type ByProof<Result> =
  | { readonly done: Extract<ProofAnswer<Result>, { kind: 'accepted' }> }
  | { readonly problem: Problem }

/** Reads the proof and does what it was given for. */
export async function byProof<Result>(
  exchange: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  act: (attempt: ProofAttempt) => Promise<ProofAnswer<Result> | Refusal>,
): Promise<ByProof<Result>> {
  const proof = proofIn(exchange.req)
  if (proof === null) return { problem: malformed('code') }
  const answer = await act(proofAttempt(exchange, proof))
  if (answer.kind === 'accepted') return { done: answer }
  if (answer.kind === 'setup-granted') {
    const next = pagePath(exchange.site.paths, 'setup-required')
    return { problem: { code: 'setup-required', next } }
  }
  if (answer.kind === 'malformed-request') return { problem: malformed('code') }
  if (answer.kind !== 'too-many-attempts') return { problem: { code: answer.kind } }
  return { problem: { code: answer.kind, retryAfter: answer.retryAfter } }
}
