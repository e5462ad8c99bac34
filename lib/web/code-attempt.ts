import type { TypedCode } from '../domain/code.js'
import type { CodeAttempt } from '../service/challenge.js'
import { addressKey } from './client-address.js'
import type { Exchange } from './handler.js'
import { occasionOf } from './occasion.js'
import type { PendingVisitor, SignedInVisitor } from './visitor.js'

/** A code of this visitor's, as the service wants it. */
export function codeAttempt(
  {
    site,
    req,
    visitor,
  }: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  code: TypedCode,
): CodeAttempt {
  return {
    userId: visitor.record.userId,
    code,
    admission: visitor,
    ipKey: addressKey(req),
    ipLimit: site.ipLimit(req),
    occasion: occasionOf(req),
    record: visitor.record,
    policy: visitor.policy,
    subject: visitor.subject,
  }
}
