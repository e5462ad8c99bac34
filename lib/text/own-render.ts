import { ConfigurationError } from '../errors/configuration-error.js'
import type { Render } from './pages.js'

/** The host's `render`. Fails if it returns no page, because visitors would see an empty one. */
export function ownRender(render: Render): Render {
  return async (page, data, frame) => {
    const html: unknown = await render(page, data, frame)
    if (typeof html === 'string' && html.trim() !== '') return html
    throw new ConfigurationError(
      `\`render\` must return the page as a text with HTML in it, or a promise of one; for the page ${page} it ` +
        `returned ${typeof html === 'string' ? 'an empty one' : typeof html}. Is a \`return\` missing?`,
    )
  }
}
