import type { Paths } from './site.js'

/** The page that asks a pending visitor for what is missing. */
export function pagePath(paths: Paths, standing: 'code-required' | 'setup-required'): string {
  return `${paths.secondStep}/${standing === 'code-required' ? 'challenge' : 'setup'}`
}
