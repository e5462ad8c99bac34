import type { Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import { pagePath } from '../request/page-path.js'
import { redirect } from './respond.js'

/**
 * GET of an address that a form posts to, for example a reload after a new sign-in, or a bookmark.
 * Redirects to the form's page. Not found in JSON.
 */
export const formAddress: Handler = async ({ site, req, res, visitor }) => {
  if (wantsJson(req)) return { code: 'not-found' }
  if (visitor.kind === 'over') return { code: 'sign-in-again' }
  if (visitor.kind === 'anonymous') return { code: 'not-signed-in' }
  const settings = `${site.paths.secondStep}/`
  redirect(res, visitor.kind === 'pending' ? pagePath(site.paths, visitor.standing) : settings)
  return undefined
}
