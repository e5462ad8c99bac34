import { backupCodesFor } from '../../domain/accepted-methods.js'
import { byProof } from '../login/by-proof.js'
import { accountName } from '../request/account-name.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { requestInfoOf } from '../request/request-info.js'
import { saveSession } from '../request/session.js'
import { dropCodes, givenOf, rememberCodes, shownBefore } from '../request/shown-again.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { backOf } from '../routing/requirements.js'
import { redirect, sendJson, showPage } from '../routing/respond.js'
import { strongerFactorOf } from '../routing/stronger-factor.js'
import { refuseOnSettings } from './settings.js'

const PAGE = 'backup-codes'

/** POST `/backup-codes` */
export const makeBackupCodes: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res, visitor } = exchange
  if (!visitor.policy.backupCodes) return { code: 'switched-off' }
  if (!backupCodesFor(visitor.policy, visitor.subject)) {
    const problem = strongerFactorOf(visitor, `${site.paths.secondStep}/`)
    return { ...problem, text: { key: 'rule.no-backup-codes' } }
  }
  const { account, record } = visitor
  const before = await shownBefore(site, req, visitor.stamp, PAGE, (codes) =>
    site.backupCodes.areOf(account.id, record.backupCodes, codes),
  )
  if (before !== null) return codesPage(exchange, before)
  const outcome = await byProof(exchange, (attempt) => site.backupCodes.replace(attempt))
  if ('problem' in outcome) return refuseOnSettings(exchange, outcome.problem, 'backup-codes')
  const codes = outcome.done.result
  if (wantsJson(req)) {
    sendJson(res, { backupCodes: codes })
    return undefined
  }
  const shown = {
    codes,
    given: givenOf(req),
    until: null,
    sessionsEnded: false,
    done: 'made',
  } as const
  await rememberCodes(site, req, visitor.stamp, PAGE, shown)
  return codesPage(exchange, { codes, at: site.system.now() })
}

async function codesPage(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  { codes, at }: { codes: readonly string[]; at: number },
): Promise<undefined> {
  const next = backOf(site, req)
  const account = accountName(visitor.account)
  const page = {
    codes,
    account,
    done: 'made',
    madeAt: new Date(at),
    sessionsEnded: false,
    next,
  } as const
  await showPage(site, req, res, 'backup-codes', { problem: null, ...page })
  return undefined
}

/** POST `/backup-codes/saved` */
export const backupCodesSaved: Handler<SignedInVisitor> = async ({ site, req, res, visitor }) => {
  const saved = await site.sessions.backupCodesSaved(visitor.account.id, requestInfoOf(req), {
    ...visitor,
    admission: visitor,
  })
  if (saved === 'sign-in-again') return { code: saved }
  const next = backOf(site, req)
  const { next: led, ...rest } = req.session.secondStep ?? {}
  const html = !wantsJson(req)
  if (led !== undefined || html) {
    req.session.secondStep = html && led === undefined ? { ...rest, notice: 'codes-saved' } : rest
  }
  if (dropCodes(req) || led !== undefined || html) await saveSession(req)
  if (html) redirect(res, next)
  else sendJson(res, { backupCodesSaved: true })
  return undefined
}
