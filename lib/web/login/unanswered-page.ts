import type { Request, Response } from 'express'
import { askedPath } from '../request/destination.js'
import { pagePath } from '../request/page-path.js'
import type { Places } from '../request/site.js'
import type { PendingVisitor } from '../request/visitor.js'

const warned = new WeakSet<Places['paths']>()

/**
 * Warns once where nothing answers at the page to which a pending visitor is led: the router, which never answers 404
 * there, is not mounted, or is at another path. So the users find no page for their code, and the router never sees a
 * request by which it could tell its mistake.
 */
export function warnIfUnanswered(
  { base, paths }: Places,
  req: Request,
  res: Response,
  { standing }: PendingVisitor,
): void {
  if (warned.has(paths) || askedPath(req, { base }) !== pagePath(paths, standing)) return
  res.once('finish', () => {
    if (res.statusCode !== 404 || warned.has(paths)) return
    warned.add(paths)
    const path = paths.secondStep.slice(base.length)
    process.emitWarning(
      `passport-second-step: a user was led to ${pagePath(paths, standing)}, and nothing answers there: mount ` +
        `app.use('${path}', secondStep.router()) behind guard(), or set \`paths.secondStep\` to where it is`,
    )
  })
}
