import { acceptsAuthenticators, hasAccepted } from '../../domain/accepted-methods.js'
import { isEnrolled } from '../../domain/authenticators.js'
import { canHave } from '../../domain/havable.js'
import { isFresh } from '../../domain/stamp.js'
import { demandOf } from '../../domain/standing.js'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { AUTHENTICATOR_TYPES, FACTOR_METHODS, type FactorMethod } from '../../factors/factors.js'
import type { Problem } from '../../text/problem.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor, Visitor } from '../request/visitor.js'
import { freshCodeRequired, missing } from '../routing/requirements.js'
import { strongerFactor } from '../routing/stronger-factor.js'
import { acceptsBackupCodes } from './code-texts.js'

/** Options of `requireFresh()`. */
export interface RequireFreshOptions {
  /**
   * For a signed-in user without an authenticator, `refuse` answers 403 `setup-required` and `pass`
   * lets them through, unless they must set one up. Default `refuse`.
   */
  readonly notEnrolled?: 'refuse' | 'pass'
  /**
   * The methods that count here: `totp`, `hotp`, `webauthn`, `backup-code`; one of a device at least. After another one
   * the answer is 403 `stronger-factor-required`. Whoever has such a device then shows, binds and removes such devices by
   * these methods alone, and no mail resets them. Mount it in every process that has the package's pages. Default: all.
   */
  readonly accepts?: readonly FactorMethod[]
}

/** What a route asks of who is signed in. */
export interface FreshRule {
  readonly notEnrolled: 'refuse' | 'pass'
  /** Null: every kind of code counts. */
  readonly accepts: readonly FactorMethod[] | null
}

/** An admin's one-time code opens a set-up, and never makes a session fresh. */
const FRESH_METHODS = FACTOR_METHODS.filter((method) => method !== 'one-time-code')

/** @throws ConfigurationError for an option that is wrong, or that nobody could fulfil */
export function freshRuleOf(
  { mountedRules, authenticators }: Pick<Site, 'mountedRules' | 'authenticators'>,
  given: RequireFreshOptions,
): FreshRule {
  checkCall(given, ['notEnrolled', 'accepts'], 'requireFresh')
  const { notEnrolled = 'refuse', accepts } = given
  if (!['refuse', 'pass'].includes(notEnrolled)) {
    throw new ConfigurationError("`requireFresh.notEnrolled` must be 'refuse' or 'pass'")
  }
  if (accepts === undefined) return { notEnrolled, accepts: null }
  const known: readonly unknown[] = FRESH_METHODS
  if (!Array.isArray(accepts) || !accepts.every((one) => known.includes(one))) {
    throw new ConfigurationError(
      `\`requireFresh.accepts\` must be a list of ${FRESH_METHODS.join(', ')}`,
    )
  }
  if (!acceptsAuthenticators(accepts)) {
    throw new ConfigurationError(
      `\`requireFresh.accepts\` must have one of ${AUTHENTICATOR_TYPES.join(', ')}: without a device nobody has the others`,
    )
  }
  if (!accepts.some((one) => canHave(one, authenticators))) {
    throw new ConfigurationError(
      '`requireFresh.accepts` leaves security keys alone, which nobody can set up here: give the option `webauthn` ' +
        '(webauthn: {} is enough) and have webauthn among `authenticators`, or accept totp or hotp too',
    )
  }
  const rule = FACTOR_METHODS.filter((method) => accepts.includes(method))
  mountedRules.add(rule)
  return { notEnrolled, accepts: rule }
}

/** Why the visitor may not pass, or null. */
export function freshProblem(
  site: Site,
  req: Parameters<typeof isInSession>[1],
  visitor: Visitor | Problem,
  { notEnrolled, accepts }: FreshRule,
): Problem | null {
  if ('code' in visitor) return visitor
  if (visitor.kind !== 'signed-in') return missing(site, visitor)
  const now = site.system.now()
  if (isEnrolled(visitor.record)) {
    if (!isInSession(site, req, visitor)) return freshCodeRequired(site)
    const weak = accepts === null ? null : weakness(site, visitor, accepts)
    if (weak !== null) return weak
    return isFresh(visitor.stamp, now) ? null : freshCodeRequired(site)
  }
  // A credential for one request also lets in users who must set one up, for example after a reset.
  if (notEnrolled === 'pass' && demandOf(visitor, now) === 'nothing') return null
  return { code: 'setup-required', next: setupPage(site, accepts) }
}

/** Of what counts here, where that is not the kind which the page begins with by itself. */
function setupPage(
  { paths, authenticators }: Pick<Site, 'paths' | 'authenticators'>,
  accepts: FreshRule['accepts'],
): string {
  const page = `${paths.secondStep}/setup`
  const type = authenticators.find((one) => accepts === null || accepts.includes(one))
  return type === undefined || type === authenticators[0] ? page : `${page}?type=${type}`
}

/** Whoever has nothing that counts is led to the settings, where devices are added. */
function weakness(
  site: Site,
  visitor: SignedInVisitor,
  accepts: readonly FactorMethod[],
): Problem | null {
  const { secondStep } = site.paths
  if (!canGive(site, visitor, accepts)) return strongerFactor(accepts, `${secondStep}/`)
  const method = visitor.stamp?.method ?? 'none'
  const isAccepted = method === 'none' || accepts.some((one) => one === method)
  return isAccepted ? null : strongerFactor(accepts, `${secondStep}/fresh`)
}

/** Whether they can give a proof that counts now: a backup code binds nobody to the rule, and is good for one. */
function canGive(site: Site, visitor: SignedInVisitor, accepts: readonly FactorMethod[]): boolean {
  if (hasAccepted(visitor.record, accepts)) return true
  return accepts.includes('backup-code') && acceptsBackupCodes(site, visitor)
}
