import type { Request } from 'express'
import { SECOND_MS } from '../domain/units.js'
import type { Belief } from '../domain/upstream.js'
import { checkNames } from '../errors/check-names.js'
import { check, isListOf, isText } from './check.js'
import type { SecondStepOptions, UpstreamBelief } from './options.js'

const DEFAULT_MAX_AGE = 300
const LONGEST_MAX_AGE = 86_400

/**
 * RFC 8176 values that tell of the first step, of the user's surroundings or of their mere presence: alone they
 * prove no second step.
 */
const NO_SECOND_STEP: readonly string[] = ['pwd', 'password', 'kba', 'geo', 'rba', 'user', 'wia']

/** Classes of SAML 2.0 that tell of a password or of nothing (SAML Authentication Context §3.4), and OpenID Connect's lowest. */
const NO_CLASS: readonly string[] = [
  'urn:oasis:names:tc:saml:2.0:ac:classes:password',
  'urn:oasis:names:tc:saml:2.0:ac:classes:passwordprotectedtransport',
  'urn:oasis:names:tc:saml:2.0:ac:classes:previoussession',
  'urn:oasis:names:tc:saml:2.0:ac:classes:unspecified',
  '0',
]

/** What the package keeps of the option. */
export interface CheckedUpstream {
  readonly satisfiedBy: ((req: Request, user: Express.User, info: unknown) => unknown) | null
  readonly beliefs: readonly Belief[]
}

/** @throws ConfigurationError */
export function checkUpstream<U>(upstream: SecondStepOptions<U>['upstream']): CheckedUpstream {
  if (upstream === undefined) return { satisfiedBy: null, beliefs: [] }
  check(
    typeof upstream === 'object' && upstream !== null,
    '`upstream` must be an object: { satisfiedBy, believe }',
  )
  checkNames(upstream, ['satisfiedBy', 'believe'], 'upstream.')
  const { satisfiedBy, believe } = upstream
  check(
    typeof satisfiedBy === 'function',
    '`upstream.satisfiedBy` must be a function: (req, user, info) => ({ issuer, amr, acr, authTime })',
  )
  check(
    Array.isArray(believe) && believe.length > 0,
    "`upstream.believe` must list what is believed of which issuer: [{ issuer: 'https://idp.example', amr: ['mfa'] }]",
  )
  return {
    satisfiedBy: (req, user, info) => satisfiedBy(req, user as U, info),
    beliefs: believe.map((belief, index) => checkBelief(belief, `upstream.believe[${index}]`)),
  }
}

function checkBelief(belief: UpstreamBelief, name: string): Belief {
  check(typeof belief === 'object' && belief !== null, `\`${name}\` must be an object`)
  checkNames(belief, ['issuer', 'amr', 'acr', 'maxAge'], `${name}.`)
  const { issuer, amr, acr, maxAge = DEFAULT_MAX_AGE } = belief
  check(
    isIssuer(issuer),
    `\`${name}.issuer\` must be the address of the provider as it names itself, https://idp.example, say; http is for localhost alone`,
  )
  for (const [key, values] of Object.entries({ amr, acr })) {
    check(
      values === undefined || (isListOf(values, isText) && values.length > 0),
      `\`${name}.${key}\` must be a list of texts, one of which is enough; leave it out where any will do`,
    )
  }
  check(
    amr !== undefined || acr !== undefined,
    `\`${name}\` believes any login there, also by a password alone: give \`amr\` or \`acr\`, such as amr: ['mfa']`,
  )
  const isNone = (value: string) => [...NO_SECOND_STEP, ...NO_CLASS].includes(value.toLowerCase())
  const first = [...(amr ?? []), ...(acr ?? [])].find(isNone)
  check(
    first === undefined,
    `\`${name}\` names ${first}, which alone is no second step: name 'mfa' in \`amr\`, or the methods or classes of a second step`,
  )
  check(
    Number.isInteger(maxAge) && maxAge >= 1 && maxAge <= LONGEST_MAX_AGE,
    `\`${name}.maxAge\` must be a whole number of seconds, 1 to ${LONGEST_MAX_AGE}`,
  )
  return { issuer, amr: amr ?? null, acr: acr ?? null, maxAge: maxAge * SECOND_MS }
}

/** An issuer identifier (OpenID Connect Core §1.2): https, and neither query nor fragment. */
function isIssuer(issuer: unknown): boolean {
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || /[?#]/.test(issuer)) return false
  const { protocol, hostname } = new URL(issuer)
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLocal)
}
