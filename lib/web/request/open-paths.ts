import { ConfigurationError } from '../../errors/configuration-error.js'
import { liesUnder } from './destination.js'
import { isPlain } from './plain-path.js'

const DEFAULT_OPEN = ['/login', '/logout', '/auth']

/**
 * The paths of `guard({ open })`. One that can match nothing would leave a page closed, and nobody
 * would know why.
 *
 * @param base what a proxy takes off before the app sees a path
 * @throws ConfigurationError naming the path and the fix
 */
export function openPaths(open: unknown = DEFAULT_OPEN, base: string): readonly string[] {
  if (!Array.isArray(open) || !open.every(isPath)) {
    throw new ConfigurationError(
      '`guard.open` must be a list of paths such as /login, without a slash at the end',
    )
  }
  for (const path of open) {
    const why = whyNothingMatches(path, base)
    if (why === null) continue
    throw new ConfigurationError(`\`guard.open\` has ${path}, which can match nothing: ${why}`)
  }
  if (open.includes('/')) warnHome()
  return open
}

function isPath(path: unknown): path is string {
  return typeof path === 'string' && /^\/(.*[^/])?$/s.test(path)
}

function whyNothingMatches(path: string, base: string): string | null {
  if (base !== '' && liesUnder(path, base)) {
    const seen = path.slice(base.length) || '/'
    return `the proxy takes \`base\` (${base}) off, so write it as the app sees it, ${seen}`
  }
  if (/[?#]/.test(path)) return 'only paths are compared, so leave out the query'
  if (/\*|\/:|[(){}]/.test(path)) {
    return 'it knows no patterns; everything below a path is open with it, so write the part before the pattern'
  }
  const asked = new URL(`http://localhost${path}`).pathname.replace(/\/{2,}/g, '/')
  if (asked !== path) return `browsers ask for ${asked}`
  return isPlain(path) ? null : 'it has dots that lead to another page'
}

/** It looks as if it opened everything. */
function warnHome(): void {
  process.emitWarning(
    "passport-second-step: guard({ open: ['/'] }) opens the home page alone, and nothing below it: " +
      'name every page that a visitor between the two steps may see',
  )
}
