import { ConfigurationError } from '../errors/configuration-error.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { PageData, PageName, Render } from './pages.js'

/** Of the time that the host's `render` has for other pages. The request has waited already. */
const FOR_UNAVAILABLE = 1 / 4

/**
 * The host's `render`. Fails if it returns no page, because visitors would see an empty one, and if it returns
 * nothing in time. The page that says so is the package's own where the host's does not come.
 *
 * @param own the package's pages
 * @param timeout milliseconds
 */
export function ownRender(render: Render, own: Render, timeout: number): Render {
  return async (page, data, frame) => {
    const call = () => render(page, data, frame)
    if (!saysUnavailable(page, data)) return pageOf(page, await inTime(call, timeout))
    try {
      return pageOf(page, await inTime(call, timeout * FOR_UNAVAILABLE))
    } catch {
      return own(page, data, frame)
    }
  }
}

/** What `render` fails with is the host's to see; its silence is a part that is away. */
async function inTime(call: () => unknown, timeout: number): Promise<unknown> {
  const settled = async () => {
    const [outcome] = await Promise.allSettled([(async () => call())()])
    return outcome
  }
  const outcome = await withTimeout('`render`', settled, timeout)
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

function pageOf(page: PageName, html: unknown): string {
  if (typeof html === 'string' && html.trim() !== '') return html
  throw new ConfigurationError(
    `\`render\` must return the page as a text with HTML in it, or a promise of one; for the page ${page} it ` +
      `returned ${typeof html === 'string' ? 'an empty one' : typeof html}. Is a \`return\` missing?`,
  )
}

function saysUnavailable(page: PageName, data: PageData[PageName]): boolean {
  return page === 'problem' && (data as PageData['problem']).problem.code === 'unavailable'
}
