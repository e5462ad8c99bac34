import { TRUSTED_DAYS_AT_MOST } from '../domain/trusted-browsers.js'
import { checkNames } from '../errors/check-names.js'
import type { TrustSettings } from '../service/trusted-browsers.js'
import type { Paths } from '../web/request/site.js'
import { check } from './check.js'

const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\]|.+\.localhost)$/

/**
 * @returns null: no browser is trusted
 * @throws ConfigurationError
 */
export function checkTrustedBrowsers(
  trustedBrowsers: unknown,
  site: { readonly origin: string; readonly paths: Paths; readonly realm: string },
): TrustSettings | null {
  if (trustedBrowsers === undefined || trustedBrowsers === false) return null
  check(
    typeof trustedBrowsers === 'object' && trustedBrowsers !== null,
    '`trustedBrowsers` must be an object, such as { days: 14 }, or false',
  )
  checkNames(trustedBrowsers, ['days'], 'trustedBrowsers.')
  const { days = TRUSTED_DAYS_AT_MOST } = trustedBrowsers as { days?: unknown }
  check(
    typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= TRUSTED_DAYS_AT_MOST,
    `\`trustedBrowsers.days\` must be a whole number, 1 to ${TRUSTED_DAYS_AT_MOST}`,
  )
  return { days, cookie: cookieOf(site), path: site.paths.secondStep }
}

/** Apps at one host have a cookie each: browsers send the same ones to all ports. */
function cookieOf({
  origin,
  paths,
  realm,
}: {
  readonly origin: string
  readonly paths: Paths
  readonly realm: string
}) {
  const { protocol, hostname, port } = new URL(origin)
  const secure = protocol === 'https:'
  check(
    secure || LOCAL.test(hostname),
    '`trustedBrowsers` need an `origin` of https: over http, anybody on the way could take the cookie of a trusted browser',
  )
  const own = ['', realm, port, paths.secondStep].join('.').replace(/[^\w-]+/g, '.')
  // RFC 6265bis §4.1.3.2: no other host, and no page over http, can set a cookie of this prefix.
  return { name: `${secure ? '__Host-' : ''}second-step-trust${own}`, secure }
}
