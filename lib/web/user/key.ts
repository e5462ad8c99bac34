import { firstAuthenticator } from '../../domain/authenticators.js'
import { authenticatorById, keyShown } from '../../domain/own-authenticators.js'
import type { Authenticator } from '../../factors/factors.js'
import { malformed, type Problem } from '../../text/problem.js'
import { byProof } from '../login/by-proof.js'
import { fieldOf } from '../request/body.js'
import { chosenIn } from '../request/chosen-authenticator.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { typeIn } from '../request/type-field.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { answerWithNewKey, keyPage, sendKey } from './key-page.js'
import { refuseOnSettings } from './settings.js'
import { setupOwner } from './setup-owner.js'

/** POST `/change-key` */
export const changeKey: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, visitor } = exchange
  const { authenticators } = visitor.record
  const chosen = chosenIn(req, authenticators)
  if ('code' in chosen) return refuseChoice(exchange, chosen)
  const { id } = chosen
  const action = authenticators.length === 1 ? 'change-key' : (`change-key:${id}` as const)
  const type = typeIn(req)
  if (type === undefined) return refuseOnSettings(exchange, malformed('type'), action)
  const { owner } = await setupOwner(exchange)
  const change = { owner, id, type }
  const outcome = await byProof(exchange, (attempt) => site.setup.changeKey(attempt, change))
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, action)
  await answerWithNewKey(exchange, outcome.done.result)
  return undefined
}

/** POST `/show-key` */
export const showKey: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (!site.showKey) return { code: 'switched-off' }
  const { authenticators } = visitor.record
  const shown = authenticators.filter((one) => keyShown(one) === 'yes')
  const named = authenticatorById(visitor.record, fieldOf(req, 'id') ?? '')
  const hidden = named ?? (shown.length === 0 ? firstAuthenticator(visitor.record) : null)
  if (hidden !== null && !shown.includes(hidden)) return keyNotShown(hidden)
  const chosen = chosenIn(req, shown)
  if ('code' in chosen) return refuseChoice(exchange, chosen)
  const { id } = chosen
  const outcome = await byProof(exchange, (attempt) => site.setup.showKey(attempt, id))
  if ('problem' in outcome) {
    const several = authenticators.length > 1
    return refuseOnSettings(exchange, outcome.problem, several ? `show-key:${id}` : 'show-key')
  }
  const key = outcome.done.result
  if (key === null) return { code: 'not-found' }
  const { account } = visitor
  if (wantsJson(req)) await sendKey(site, res, account, key)
  else {
    const page = {
      purpose: 'show-key',
      cancel: false,
      problem: null,
      status: 200,
      types: [],
    } as const
    await keyPage(site, req, res, account, key, page)
  }
  return undefined
}

function keyNotShown(hidden: Authenticator): Problem {
  const kind = keyShown(hidden)
  if (kind === 'yes') return { code: 'switched-off' }
  return { code: 'switched-off', text: { key: `settings.no-key-of-${kind}` } }
}

/** The form that it came from is not on the page, or no longer. */
async function refuseChoice(
  exchange: Exchange<SignedInVisitor>,
  problem: Problem,
): Promise<Problem | undefined> {
  return problem.code === 'not-found' ? problem : refuseOnSettings(exchange, problem, null)
}
