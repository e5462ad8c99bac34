import type { PolicyChanges } from '../../domain/policy-change.js'
import type { PolicyPreview } from '../../service/administration.js'
import { ASK_AGAIN, type PolicyCount } from '../../service/policy-count.js'
import { policyLines } from '../../text/policy-lines.js'
import type { Exchange } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { sendJson, sendProblem, showPage } from '../routing/respond.js'
import { reasonOf } from './fields.js'
import { policyCountsOf } from './requirements.js'

/** What is previewed. */
export interface PreviewAsked {
  readonly changes: PolicyChanges
  /** Somebody has changed the policy since the admin has seen a preview. */
  readonly again: boolean
}

/**
 * A count that is not done yet is 503 in JSON, as is one that fails: a program asks again. A page says "at least", or
 * that nobody could be counted: the policy must be changeable while the host's list is away.
 */
export async function answerPreview(
  { site, req, res }: Pick<Exchange, 'site' | 'req' | 'res'>,
  { before, after, events }: PolicyPreview,
  { changes, again }: PreviewAsked,
  back: string,
): Promise<void> {
  const json = wantsJson(req)
  const counts = policyCountsOf(site)
  const count = await counts.count({ before, after }).catch((error: unknown) => {
    if (json) throw error
    site.failureReporter.report(error)
    return null
  })
  if (json) {
    if (count?.whole === true) return sendJson(res, shownCount(count))
    return sendProblem(site, req, res, { code: 'unavailable', retryAfter: ASK_AGAIN })
  }
  const data = {
    problem: null,
    again,
    changes: events.flatMap(({ detail }) => policyLines(detail)),
    count,
    fields: [
      ...fieldsOf(changes, site.roles),
      ['reason', reasonOf(req) ?? ''] as const,
      ['previewed', String(before.version)] as const,
    ],
    back,
  }
  await showPage(site, req, res, 'admin-policy-preview', data)
}

function shownCount({ concerned, adminsConcerned, roles }: PolicyCount) {
  const ofRoles = Object.entries(roles).map(([role, count]) => [role, count.concerned] as const)
  return { dryRun: true, concerned, adminsConcerned, roles: Object.fromEntries(ofRoles) }
}

type Field = readonly [name: string, value: string]

/** What was read, as the form's fields: just this is confirmed. */
function fieldsOf(
  { roles, accepts, ...others }: PolicyChanges,
  names: readonly string[],
): readonly Field[] {
  const given = (rules: PolicyChanges['roles'] | PolicyChanges['accepts'], role: string) =>
    rules !== undefined && Object.hasOwn(rules, role) ? [rules[role] ?? []].flat() : []
  return [
    ...Object.entries(others).map(([name, value]): Field => [name, String(value)]),
    ...names.flatMap((role): readonly Field[] =>
      roles === undefined ? [] : [[`roles[${role}]`, given(roles, role)[0] ?? '']],
    ),
    ...names.flatMap((role): readonly Field[] =>
      accepts === undefined
        ? []
        : ['', ...given(accepts, role)].map((method) => [`accepts[${role}]`, method]),
    ),
  ]
}
