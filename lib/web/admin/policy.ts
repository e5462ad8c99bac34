import type { Request } from 'express'
import type { Policy } from '../../domain/policy.js'
import type { PolicyChanges, PolicyEdit, PolicyRefusal } from '../../domain/policy-change.js'
import { FACTOR_METHODS } from '../../factors/factors.js'
import type { PageProblem } from '../../text/pages.js'
import { malformed, type Problem } from '../../text/problem.js'
import { type ShownPolicy, shownPolicy } from '../../text/shown-user.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { leaveAdminNotice, takeAdminNotice } from '../request/session.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { redirect, sendJson, sendProblem, showPage } from '../routing/respond.js'
import { adminRequestInfo, announceRefusal, type Change, freshAdmin } from './change.js'
import { membersOf, reasonProblem } from './fields.js'
import { MODES, policyRequestOf } from './policy-fields.js'
import { answerPreview, type PreviewAsked } from './policy-preview.js'
import { leadsToFreshCode, presentAdmin, wholeAdminOrProblem } from './requirements.js'
import { strongerProof } from './stronger-proof.js'

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
    const refusal = wholeAdminOrProblem(admin)
    if (refusal !== null) return refusal
    const read = policyRequestOf(site, req)
    if ('problem' in read) return read.problem
    // Nothing is changed yet that there would be a reason for.
    const changes = !read.edit && !read.dryRun
    const wrong = reasonProblem({ demandReason: changes && site.demandReason }, req)
    if (wrong !== null) return wrong
    if (read.edit) {
      await policyPage(
        { ...exchange, visitor: admin },
        await site.administration.policy(),
        null,
        200,
      )
      return undefined
    }
    const requestInfo = adminRequestInfo(exchange)
    const place = await site.adminLimits.takeForChange(admin.account.id, requestInfo)
    if (place.kind !== 'taken') return { code: place.kind, retryAfter: place.retryAfter }

    const edit = editOf(site, read.changes)
    if (read.dryRun) {
      // It is no change: only as long as there is a place for one.
      void place.giveBack('all')
      return preview(exchange, admin, edit, { ...read, again: false })
    }
    const changed = await site.administration.changePolicy(requestInfo, edit, admin, read.previewed)
    if (changed.kind === 'changed-meanwhile') {
      return preview(exchange, admin, edit, { ...read, again: true })
    }
    if (changed.kind !== 'changed') return refusalOf(exchange, admin, changed)
    const { policy } = changed
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
      await rememberWayBack(site, req, { page: pathOfPolicy(site) })
    }
    const admin = await presentAdmin(exchange)
    if (wantsJson(req) || 'code' in admin || wholeAdminOrProblem(admin) !== null) return problem
    const policy = await site.administration.policy()
    await sendProblem(site, req, res, problem, (shown, status) =>
      policyPage({ ...exchange, visitor: admin }, policy, shown, status),
    )
    return undefined
  },
}

/** Says whom the change would concern, and changes nothing. */
async function preview(
  exchange: Exchange<SignedInVisitor>,
  admin: SignedInVisitor,
  edit: PolicyEdit,
  asked: PreviewAsked,
): Promise<Problem | undefined> {
  const { site, visitor } = exchange
  const by = { kind: 'admin', id: visitor.account.id } as const
  const now = site.system.now()
  const previewed = await site.administration.previewPolicy(edit, { by, now, admin })
  if (previewed.kind !== 'preview') return refusalOf(exchange, admin, previewed)
  await answerPreview(exchange, previewed, asked, pathOfPolicy(site))
  return undefined
}

async function refusalOf(
  exchange: Exchange<SignedInVisitor>,
  admin: SignedInVisitor,
  refusal: PolicyRefusal,
): Promise<Problem> {
  if (refusal.kind !== 'stronger-factor-required') {
    return { ...malformed('accepts'), text: { key: `admin.policy.${refusal.kind}` } }
  }
  return strongerProof(exchange, admin, refusal.accepts, pathOfPolicy(exchange.site))
}

/** The rules of roles that this app does not name stay: they are those of another app on the same store. */
function editOf(
  { roles: own }: Pick<Site, 'roles'>,
  { roles, accepts, ...others }: PolicyChanges,
): PolicyEdit {
  return {
    ...others,
    ...(roles === undefined ? {} : { namedRoles: named(own, roles) }),
    ...(accepts === undefined ? {} : { namedAccepts: named(own, accepts) }),
  }
}

function named<Rule>(
  roles: readonly string[],
  rules: Readonly<Record<string, Rule>>,
): Readonly<Record<string, Rule | 'default'>> {
  return Object.fromEntries(
    roles.map((role) => [
      role,
      (Object.hasOwn(rules, role) ? rules[role] : undefined) ?? 'default',
    ]),
  )
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
    typed: { ...typedOf(shown), ...textsIn(membersOf(req)) },
    wrong: wrongFields(site, req, problem),
    demandReason: site.demandReason,
    modes: MODES,
    methods: FACTOR_METHODS,
    roles: site.roles,
    stale: await leadsToFreshCode(exchange, back),
    notice: (await takeAdminNotice(req, back)) !== null,
    back,
  }
  await showPage(site, req, res, 'admin-policy', data, status)
}

function wrongFields(site: Site, req: Request, problem: PageProblem | null): readonly string[] {
  if (problem?.code !== 'malformed-request') return []
  const read = policyRequestOf(site, req)
  return 'wrong' in read ? read.wrong : []
}

type Typed = Readonly<Record<string, string>>

/** The policy as the form's fields hold it. */
function typedOf({ updatedAt: _, updatedBy: __, roles, accepts, ...members }: ShownPolicy): Typed {
  const ofRoles = [...fieldsOf('roles', roles), ...fieldsOf('accepts', accepts)]
  const others = Object.entries(members).map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries([...others, ...ofRoles])
}

/** The form keeps what the admin typed. */
function textsIn(members: Readonly<Record<string, unknown>> = {}): Typed {
  const { roles, accepts, ...others } = members
  const ofRoles = [...fieldsOf('roles', Object(roles)), ...fieldsOf('accepts', Object(accepts))]
  const texts = [...Object.entries(others), ...ofRoles].map(([name, value]) => [
    name,
    textOf(value),
  ])
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined))
}

/** A field for each role. */
function fieldsOf(
  name: 'roles' | 'accepts',
  rules: object,
): readonly (readonly [string, string])[] {
  return Object.entries(rules).map(([role, rule]) => [`${name}[${role}]`, textOf(rule) ?? ''])
}

/** Several boxes are one text, with a blank between their values. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string').join(' ')
  return typeof value === 'string' ? value : undefined
}
