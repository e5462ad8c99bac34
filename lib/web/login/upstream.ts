import type { Request } from 'express'
import type { Stamp } from '../../domain/stamp.js'
import { countsUpstreamAtLogin, type UpstreamAuthentication } from '../../domain/upstream.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { withTimeout } from '../../ports/with-timeout.js'
import { hasAskedForReset } from '../request/asked-reset.js'
import { requestInfoOf } from '../request/request-info.js'
import type { Site } from '../request/site.js'
import type { GuardState } from '../request/visitor.js'
import type { Login } from './ask-for-second-step.js'
import { refuseAnswered } from './passport-session.js'

/**
 * The stamp of a login whose second step the user has passed at a provider that the host believes. Null:
 * the second step is asked for, also where the host's function fails.
 *
 * @throws UnavailableError where the record or the audit log does not answer; Error where the host has answered the
 *   request meanwhile
 */
export async function stampOfUpstream(
  site: Site,
  state: GuardState,
  req: Request,
  { account, userContext }: Login,
  instance: number,
): Promise<Stamp | null> {
  const { satisfiedBy, sessions, system } = site
  if (satisfiedBy === null || !countsUpstreamAtLogin(userContext, system.now())) return null
  if (hasAskedForReset(req)) return null
  const { user } = account
  const { firstStep } = state
  const info = firstStep?.user === user ? firstStep.info : undefined
  let authentication: UpstreamAuthentication | null
  try {
    const ask = async () => satisfiedBy(req, user, info)
    authentication = read(await withTimeout('upstream.satisfiedBy()', ask, site.timeout))
  } catch (error) {
    site.failureReporter.report(error)
    authentication = null
  }
  // By the host, with a time-out of its own for example: nobody is signed in then, and the log says nothing.
  refuseAnswered(req)
  if (authentication === null) return null
  const { id: userId, subject } = account
  const { epoch } = userContext.record
  const present = { ...(await sessions.userContext(userId, subject)), epoch }
  return site.upstream.accept(authentication, { userId, instance }, present, requestInfoOf(req))
}

/** Later than that, in seconds, no clock is: the number is of milliseconds. */
const NO_SECONDS = 100_000_000_000

/** @throws ConfigurationError for what is no answer */
function read(answer: unknown): UpstreamAuthentication | null {
  if (answer === null || answer === undefined || answer === false) return null
  const { issuer, amr, acr, authTime } = Object(answer) as Readonly<Record<string, unknown>>
  if (typeof answer !== 'object' || typeof issuer !== 'string') {
    throw wrong('must answer with { issuer, amr, acr, authTime }, or with null')
  }
  const methods = amr ?? []
  if (!Array.isArray(methods) || !methods.every((method) => typeof method === 'string')) {
    throw wrong('has answered with an `amr` that is no list of texts (RFC 8176)')
  }
  if (typeof (acr ?? '') !== 'string') throw wrong('has answered with an `acr` that is no text')
  return { issuer, amr: methods, acr: typeof acr === 'string' ? acr : null, at: timeOf(authTime) }
}

function timeOf(authTime: unknown): number {
  if (authTime === null || authTime === undefined) {
    throw wrong(
      'has answered without `authTime`, so nothing is believed: ask the provider for `auth_time`, by `max_age` in the request ' +
        "or in the client's settings",
    )
  }
  const at = authTime instanceof Date ? authTime.getTime() : secondsOf(authTime) * 1000
  if (Number.isFinite(at)) return Math.floor(at)
  throw wrong('must answer with an `authTime` in seconds, as `auth_time` is, or as a Date')
}

function secondsOf(value: unknown): number {
  return typeof value === 'number' && Math.abs(value) < NO_SECONDS ? value : Number.NaN
}

function wrong(what: string): ConfigurationError {
  return new ConfigurationError(`\`upstream.satisfiedBy\` ${what}`)
}
