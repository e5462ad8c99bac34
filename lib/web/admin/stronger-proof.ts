import { hasAccepted } from '../../domain/accepted-methods.js'
import { askedKeys, withCodes } from '../../domain/authenticators.js'
import type { FactorMethod } from '../../factors/factors.js'
import type { Problem } from '../../text/problem.js'
import type { Exchange } from '../request/handler.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { rememberWayBack } from '../request/way-back.js'
import { freshCodeRequired } from '../routing/requirements.js'
import { strongerFactor } from '../routing/stronger-factor.js'

/**
 * The problem of an admin whose proof does not count for a change. The page that asks for one that does leads back to
 * `page`; an admin who has no such device is led to the settings, where devices are added.
 */
export async function strongerProof(
  { site, req }: Pick<Exchange, 'site' | 'req'>,
  { record }: SignedInVisitor,
  accepts: readonly FactorMethod[],
  page: string,
): Promise<Problem> {
  const usable = [...withCodes(record), ...askedKeys(record, site.webauthn)]
  const { next: fresh } = freshCodeRequired(site)
  if (fresh === undefined || !hasAccepted({ authenticators: usable }, accepts)) {
    return strongerFactor(accepts, `${site.paths.secondStep}/`)
  }
  await rememberWayBack(site, req, { page, accepts })
  return strongerFactor(accepts, fresh)
}
