import { acceptedOf } from '../../domain/accepted-methods.js'
import type { ProofRules } from '../../domain/counted-methods.js'
import { TOUCHES_NOTHING } from '../../domain/touches.js'
import type { Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'

/** The rules by which a visitor's proof is judged, so that pages offer what is accepted. */
export function proofRulesOf(
  { mountedRules }: Pick<Site, 'mountedRules'>,
  visitor: PendingVisitor | SignedInVisitor,
): ProofRules {
  return {
    pending: visitor.kind === 'pending' ? visitor.pending : null,
    accepted: acceptedOf(visitor.policy, visitor.subject),
    routes: mountedRules.rules,
    touches: TOUCHES_NOTHING,
  }
}
