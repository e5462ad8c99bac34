import type { Request } from 'express'
import { malformed, type Problem } from '../../text/problem.js'
import { shownAuthenticators } from '../../text/shown-authenticator.js'
import { byProof, doneEnoughToday } from '../login/by-proof.js'
import { enter } from '../login/enter.js'
import type { Exchange, Handler } from '../request/handler.js'
import { keepsHostsKeys } from '../request/kept-keys.js'
import { nameIn } from '../request/name-field.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveNotice } from '../request/notices.js'
import { requestInfoOf } from '../request/request-info.js'
import { typeIn } from '../request/type-field.js'
import { ownerOf, type SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson } from '../routing/respond.js'
import { answerWithNewKey } from './key-page.js'
import { refuseOnSettings } from './settings.js'
import { setupOwner } from './setup-owner.js'

/** POST `/authenticators` */
export const addAuthenticator: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req } = exchange
  const type = typeIn(req)
  if (type === undefined) return refuseOnSettings(exchange, malformed('type'), 'authenticators')
  const action = type === 'webauthn' ? 'authenticators:webauthn' : 'authenticators'
  const { owner } = await setupOwner(exchange)
  const outcome = await byProof(exchange, (attempt) => site.setup.add(attempt, owner, type))
  if ('problem' in outcome) {
    return refuseOnSettings(exchange, withText(outcome.problem), action)
  }
  await answerWithNewKey(exchange, outcome.done.result)
  return undefined
}

/** POST `/authenticators/:id/rename` */
export const renameAuthenticator: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const id = idIn(req)
  const name = nameIn(req)
  if (name === null || name === undefined) return refuseName(exchange, id, 'device.name-wrong')
  const renaming = { ...visitor, admission: visitor, requestInfo: requestInfoOf(req) }
  const answer = await site.ownAuthenticators.rename(renaming, { id, name })
  if (answer.kind === 'name-taken') return refuseName(exchange, id, 'device.name-taken')
  if (answer.kind === 'too-many-attempts') {
    return refuseOnSettings(exchange, doneEnoughToday(answer.retryAfter), `rename:${id}`)
  }
  if (answer.kind !== 'accepted') return { code: answer.kind }
  if (wantsJson(req)) {
    await sendList(exchange)
    return undefined
  }
  await leaveNotice(req, 'authenticator-renamed')
  redirect(res, `${site.paths.secondStep}/`)
  return undefined
}

/** POST `/authenticators/:id/remove` */
export const removeAuthenticator: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  const { account } = visitor
  const id = idIn(req)
  if (!visitor.record.authenticators.some((one) => one.id === id)) return { code: 'not-found' }
  const outcome = await byProof(exchange, (attempt) => site.ownAuthenticators.remove(attempt, id))
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, `remove:${id}`)
  const { done } = outcome
  const { isOff } = done.result
  const notice = isOff ? 'disabled' : 'authenticator-removed'
  await enter(site, req, {
    account,
    stamp: site.sessions.stamp(ownerOf(visitor), done, isOff ? 'none' : done.method),
    userContext: visitor,
    keeps: keepsHostsKeys(site, req),
    notice: wantsJson(req) ? undefined : notice,
  })
  if (wantsJson(req)) await sendList(exchange)
  else redirect(res, `${site.paths.secondStep}/`)
  return undefined
}

function refuseName(
  exchange: Exchange<SignedInVisitor>,
  id: string,
  key: 'device.name-wrong' | 'device.name-taken',
): Promise<Problem | undefined> {
  return refuseOnSettings(exchange, { ...malformed('name'), text: { key } }, `rename:${id}`)
}

/** As the record has them now. */
async function sendList({ site, res, visitor }: Exchange<SignedInVisitor>): Promise<void> {
  const { record } = await site.sessions.userContext(visitor.account.id, visitor.subject)
  sendJson(res, { authenticators: shownAuthenticators(record) })
}

function withText(problem: Problem): Problem {
  return problem.code === 'already-enrolled'
    ? { ...problem, text: { key: 'device.no-room' } }
    : problem
}

function idIn({ params: { id } }: Request): string {
  return typeof id === 'string' ? id : ''
}
