import type { Proof } from '../../factors/factors.js'
import type { ProofAttempt } from '../../service/challenge.js'
import { askedIn } from '../request/challenges.js'
import { addressLimit } from '../request/client-address.js'
import type { Exchange } from '../request/handler.js'
import { requestInfoOf } from '../request/request-info.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'

/** The visitor's proof, in the form that the service takes. */
export function proofAttempt(
  {
    site,
    req,
    visitor,
  }: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  proof: Proof,
): ProofAttempt {
  const { ipKey, ipLimit } = addressLimit(site, req)
  return {
    userId: visitor.record.userId,
    proof,
    admission: visitor,
    asked: askedIn({ site, req, visitor }),
    ipKey,
    ipLimit,
    requestInfo: requestInfoOf(req),
    record: visitor.record,
    policy: visitor.policy,
    subject: visitor.subject,
  }
}
