import type { Request } from 'express'
import type { Occasion } from '../../service/announcer.js'
import { addressOf } from './client-address.js'
import { languagesOf } from './negotiation.js'
import { guardedStateOf } from './visitor.js'

const LONGEST_USER_AGENT = 256

/** Where a request comes from, for events, and which language it wants, for mails. */
export function occasionOf(req: Request): Occasion {
  return {
    ip: addressOf(req),
    userAgent: req.get('user-agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
    languages: languagesOf(guardedStateOf(req).site, req),
  }
}
