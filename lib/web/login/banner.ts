import type { Request } from 'express'
import { setupDeadlineOf } from '../../domain/standing.js'
import { textAround, timeShown } from '../../text/time-shown.js'
import type { Views } from '../../text/views.js'
import { languagesOf } from '../request/negotiation.js'
import type { Site } from '../request/site.js'
import { guardStateOf } from '../request/visitor.js'

/**
 * An HTML fragment for the host's pages, in the visitor's language: the deadline to set up a second
 * step, with a link. Empty if the visitor has no deadline.
 */
export function bannerOf(site: Site, req: Request): string {
  const { visitor } = guardStateOf(req)
  if (visitor.kind !== 'signed-in') return ''
  const deadline = setupDeadlineOf(visitor, site.system.now(), visitor.stamp)
  if (deadline === null) return ''
  const { t, lang } = site.messages.for(languagesOf(site, req))
  const { issuer, paths } = site
  return site.banner({
    t,
    issuer,
    base: paths.secondStep,
    deadline: timeShown(new Date(deadline), t, lang),
    deadlineAt: new Date(deadline).toISOString(),
    time: (time, shape) => timeShown(time, t, lang, shape),
    around: (key, name, at) => textAround(t, key, name, at),
  })
}

/** The fragment in EJS. A host's folder may have another `_banner.ejs`. */
export function ejsBanner(views: Views): Site['banner'] {
  views.check('_banner')
  return (values) => views.write('_banner', values)
}
