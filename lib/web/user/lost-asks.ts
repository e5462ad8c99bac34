import type { Request } from 'express'
import { type MailAllowance, mailAllowance } from '../../domain/mail-allowance.js'
import type { PendingLogin } from '../../domain/pending-login.js'
import { type LostAsk, saveSession, updateSecondStep } from '../request/session.js'

const KEPT_AT_MOST = 20

type Login = Pick<PendingLogin, 'id'>

/**
 * Remembers in the session that this login asked for a reset mail, for any address. From this the
 * page computes when the next mail can go, so it cannot reveal whether the address was right.
 */
export async function rememberLostAsk(
  req: Request,
  login: Login,
  asked: Omit<LostAsk, 'login'>,
): Promise<void> {
  const ask = { ...asked, login: login.id }
  const asks = [...asksOf(req, login), ask].slice(-KEPT_AT_MOST)
  updateSecondStep(req, { lostAsks: asks })
  await saveSession(req)
}

/** The limits' verdict on the mail that this login asked for last. Null if it asked for none. */
export function allowanceOf(req: Request, login: Login): MailAllowance | null {
  const asks = asksOf(req, login)
  const last = asks.at(-1)
  if (last === undefined) return null
  return mailAllowance(asks.filter(({ address }) => address === last.address).map(({ at }) => at))
}

function asksOf(req: Request, { id }: Login): readonly LostAsk[] {
  return (req.session.secondStep?.lostAsks ?? []).filter(({ login }) => login === id)
}
