import type { SetupOwner } from '../../service/setup.js'
import type { Exchange } from '../request/handler.js'
import { requestInfoOf } from '../request/request-info.js'
import { saveSession, stampOf, updateSecondStep } from '../request/session.js'
import { ownerOf, type PendingVisitor, type SignedInVisitor } from '../request/visitor.js'
import { writeStamp } from '../request/written-stamp.js'

/** The visitor, and the login that their set-up is bound to. */
export async function setupOwner({
  site,
  req,
  visitor,
}: Exchange<PendingVisitor | SignedInVisitor>): Promise<SetupOwner> {
  const { record } = visitor
  const shared = {
    userId: record.userId,
    requestInfo: requestInfoOf(req),
    record,
    policy: visitor.policy,
    subject: visitor.subject,
  }
  if (visitor.kind === 'pending') {
    return { ...shared, owner: visitor.pending.id, admission: visitor }
  }
  const present = visitor.stamp ?? stampOf(site, req)
  if (present !== null) {
    return { ...shared, owner: present.id, admission: { ...visitor, stamp: present } }
  }
  // A session older than the package gets a stamp, so that the set-up can be bound to it.
  const stamp = site.sessions.stamp(ownerOf(visitor), record, 'none')
  updateSecondStep(req, { verified: writeStamp(stamp) })
  await saveSession(req)
  return { ...shared, owner: stamp.id, admission: { ...visitor, stamp } }
}
