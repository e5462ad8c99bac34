import type { Request } from 'express'
import type { RequestInfo } from '../../service/announcer.js'
import { addressOf } from './client-address.js'
import { languagesOf } from './negotiation.js'
import { guardStateOf } from './visitor.js'

const LONGEST_USER_AGENT = 256

/** The origin of a request, for events, and its language, for mails. */
export function requestInfoOf(req: Request): RequestInfo {
  const { site } = guardStateOf(req)
  return {
    ip: addressOf(req, site),
    userAgent: req.get('user-agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
    languages: languagesOf(site, req),
  }
}
