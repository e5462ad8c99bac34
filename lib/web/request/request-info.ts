import type { Request } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { RequestInfo } from '../../service/announcer.js'
import { addressOf } from './client-address.js'
import { checkTrusted } from './forwarding.js'
import { languagesOf } from './negotiation.js'
import type { Site } from './site.js'
import { guardStateOf } from './visitor.js'

const LONGEST_USER_AGENT = 256

/** The origin of a request, for events, and its language, for mails. */
export function requestInfoOf(req: Request): RequestInfo {
  const { site } = guardStateOf(req)
  return {
    ip: namedAddress(req, site),
    userAgent: req.get('user-agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
    languages: languagesOf(site, req),
  }
}

/**
 * Null where a client may have chosen the address, which the operator hears: a thief would write the
 * owner's. The limits refuse such a request, but not every request counts an address.
 */
function namedAddress(
  req: Request,
  site: Pick<Site, 'ignoreForwardedFor' | 'failureReporter'>,
): string | null {
  try {
    if (!site.ignoreForwardedFor) checkTrusted(req)
    return addressOf(req, site)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    site.failureReporter.report(error)
    return null
  }
}
