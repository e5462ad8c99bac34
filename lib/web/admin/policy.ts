import type { Policy } from '../../domain/policy.js'
import type { PolicyChanges, PolicyEdit } from '../../domain/policy-change.js'
import type { PageProblem } from '../../text/pages.js'
import type { Problem } from '../../text/problem.js'
import { type ShownPolicy, shownPolicy } from '../../text/shown-user.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveAdminNotice, takeAdminNotice } from '../request/session.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'
import {
  adminRequestInfo,
  announceRefusal,
  type Change,
  freshAdmin,
  limitProblem,
} from './change.js'
import { malformedField, membersOf, reasonOf } from './fields.js'
import { MODES, policyChangesOf } from './policy-fields.js'
import { leadsToFreshCode, presentAdmin } from './requirements.js'

/** GET `/policy` */
export const showPolicy: Handler<SignedInVisitor> = async (exchange) => {
  const { site, req, res } = exchange
  const policy = await site.administration.policy()
  if (wantsJson(req)) sendJson(res, shownPolicy(site, policy))
  else await policyPage(exchange, policy, null, 200)
  return undefined
}

/** PUT `/policy`, and POST where a form sends it */
export const changePolicy: Change = {
  async answer(exchange) {
    const { site, req, res } = exchange
    const admin = await freshAdmin(exchange)
    if ('code' in admin) return admin
    const read = policyChangesOf(site, req)
    if ('problem' in read) return read.problem
    if (reasonOf(req) === undefined) return malformedField(req, 'reason')
    const tooMany = await limitProblem(exchange)
    if (tooMany !== null) return tooMany

    const edit = editOf(site, read.changes)
    const policy = await site.administration.changePolicy(adminRequestInfo(exchange), edit)
    if (wantsJson(req)) {
      sendJson(res, shownPolicy(site, policy))
      return undefined
    }
    await leaveAdminNotice(req, { page: pathOfPolicy(site), action: 'policy' })
    redirect(res, pathOfPolicy(site))
    return undefined
  },

  async refuse(exchange, problem): Promise<Problem | undefined> {
    const { site, req, res } = exchange
    await announceRefusal(exchange, null, 'policy', problem)
    if (problem.code === 'fresh-code-required') {
      await rememberWayBack(site, req, pathOfPolicy(site))
    }
    const admin = await presentAdmin(exchange)
    if (wantsJson(req) || 'code' in admin) return problem
    const policy = await site.administration.policy()
    await sendProblem(site, req, res, problem, (shown, status) =>
      policyPage({ ...exchange, visitor: admin }, policy, shown, status),
    )
    return undefined
  },
}

/** The rules of roles that this app does not name stay: they are those of another app on the same store. */
function editOf(
  { roles: own }: Pick<Site, 'roles'>,
  { roles, ...others }: PolicyChanges,
): PolicyEdit {
  if (roles === undefined) return others
  const rules = own.map((role) => [role, Object.hasOwn(roles, role) ? roles[role] : 'default'])
  return { ...others, namedRoles: Object.fromEntries(rules) }
}

function pathOfPolicy({ paths }: Pick<Site, 'paths'>): string {
  return `${paths.admin}/policy`
}

async function policyPage(
  exchange: Exchange<SignedInVisitor>,
  policy: Policy,
  problem: PageProblem | null,
  status: number,
): Promise<void> {
  const { site, req, res } = exchange
  const shown = shownPolicy(site, policy)
  const back = pathOfPolicy(site)
  const data = {
    problem,
    policy: shown,
    typed: problem === null ? typedOf(shown) : { ...typedOf(shown), ...textsIn(membersOf(req)) },
    modes: MODES,
    roles: site.roles,
    stale: await leadsToFreshCode(exchange, back),
    notice: (await takeAdminNotice(req, back)) !== null,
    back,
  }
  await showPage(site, req, res, 'admin-policy', data, status)
}

type Typed = Readonly<Record<string, string>>

/** The policy as the form's fields hold it. */
function typedOf({ updatedAt: _, updatedBy: __, roles, ...members }: ShownPolicy): Typed {
  const ofRoles = Object.entries(roles).map(([role, mode]) => [`roles[${role}]`, mode] as const)
  const others = Object.entries(members).map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries([...others, ...ofRoles])
}

/** The form keeps what the admin typed. */
function textsIn(members: Readonly<Record<string, unknown>> = {}): Typed {
  const { roles = {}, ...others } = members
  const ofRoles = Object.entries(Object(roles)).map(([role, mode]) => [`roles[${role}]`, mode])
  const texts = [...Object.entries(others), ...ofRoles].filter(
    (field): field is [string, string] => typeof field[1] === 'string',
  )
  return Object.fromEntries(texts)
}
