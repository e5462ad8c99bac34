import { isEnrolled } from '../../domain/authenticators.js'
import { isFresh } from '../../domain/stamp.js'
import { demandOf } from '../../domain/standing.js'
import { checkCall } from '../../errors/check-call.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { SESSION_METHODS, type SessionMethod } from '../../factors/factors.js'
import type { Problem } from '../../text/problem.js'
import { isInSession } from '../request/session-login.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor, Visitor } from '../request/visitor.js'
import { freshCodeRequired, missing } from '../routing/requirements.js'
import { acceptsBackupCodes } from './code-texts.js'

/** Options of `requireFresh()`. */
export interface RequireFreshOptions {
  /**
   * For a signed-in user without an authenticator, `refuse` answers 403 `setup-required` and `pass`
   * lets them through, unless they must set one up. Default `refuse`.
   */
  readonly notEnrolled?: 'refuse' | 'pass'
  /**
   * The kinds of codes that count here: `totp`, `hotp`, `backup-code`. After a code of another kind the
   * answer is 403 `stronger-factor-required`. Default: all.
   */
  readonly accepts?: readonly SessionMethod[]
}

/** What a route asks of who is signed in. */
export interface FreshRule {
  readonly notEnrolled: 'refuse' | 'pass'
  /** Null: every kind of code counts. */
  readonly accepts: readonly SessionMethod[] | null
}

/** @throws ConfigurationError for an option that is wrong, or that nobody could fulfil */
export function freshRuleOf(
  site: Pick<Site, 'backupCodesOff'>,
  given: RequireFreshOptions,
): FreshRule {
  checkCall(given, ['notEnrolled', 'accepts'], 'requireFresh')
  const { notEnrolled = 'refuse', accepts } = given
  if (!['refuse', 'pass'].includes(notEnrolled)) {
    throw new ConfigurationError("`requireFresh.notEnrolled` must be 'refuse' or 'pass'")
  }
  if (accepts === undefined) return { notEnrolled, accepts: null }
  const known: readonly unknown[] = SESSION_METHODS
  if (
    !Array.isArray(accepts) ||
    accepts.length === 0 ||
    !accepts.every((one) => known.includes(one))
  ) {
    throw new ConfigurationError(
      `\`requireFresh.accepts\` must be a list of at least one of ${SESSION_METHODS.join(', ')}`,
    )
  }
  if (site.backupCodesOff && accepts.every((one) => one === 'backup-code')) {
    throw new ConfigurationError(
      '`requireFresh.accepts` has backup codes alone, and `backupCodes: false` switches them off: nobody could pass',
    )
  }
  return { notEnrolled, accepts: [...new Set(accepts)] }
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
  return { code: 'setup-required', next: `${site.paths.secondStep}/setup` }
}

/** Whoever has nothing that counts is led to the settings, where devices are added. */
function weakness(
  site: Site,
  visitor: SignedInVisitor,
  accepts: readonly SessionMethod[],
): Problem | null {
  const { secondStep } = site.paths
  if (!canGive(site, visitor, accepts)) return tooWeak(accepts, `${secondStep}/`)
  const method = visitor.stamp?.method ?? 'none'
  const isAccepted = method === 'none' || accepts.some((one) => one === method)
  return isAccepted ? null : tooWeak(accepts, `${secondStep}/fresh`)
}

function canGive(site: Site, visitor: SignedInVisitor, accepts: readonly SessionMethod[]): boolean {
  const { authenticators } = visitor.record
  if (authenticators.some(({ type }) => accepts.includes(type))) return true
  return accepts.includes('backup-code') && acceptsBackupCodes(site, visitor)
}

function tooWeak(accepts: readonly SessionMethod[], next: string): Problem {
  const key = 'problem.stronger-factor-required'
  return { code: 'stronger-factor-required', accepts, next, text: { key, methods: accepts } }
}
