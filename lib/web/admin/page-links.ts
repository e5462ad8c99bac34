import type { Request } from 'express'

/** The addresses of the pages around this one. Null: there is none, or it is not known. */
export interface PageLinks {
  readonly more: string | null
  readonly previous: string | null
  readonly first: string | null
}

/** Parameters that all pages of a listing share. */
const KEPT = ['search', 'state', 'user', 'actor', 'type', 'from', 'to', 'limit']

/** The place of the first page, which has no cursor, among the pages before. */
const FIRST = '-'
/** In characters: proxies refuse long addresses. The earliest pages are forgotten. */
const LONGEST_TRAIL = 1500

/**
 * The links of a page. Lists of hosts and stores only go on, so the address itself says which pages came before.
 *
 * @param next the cursor of the next page
 */
export function pageLinks(req: Request, path: string, next: string | null): PageLinks {
  const cursor = wordOf(req, 'cursor')
  const before = trailOf(req)
  const at = (place: string, trail: readonly string[]) =>
    address(req, path, { cursor: place === FIRST ? '' : place, before: trail.join('.') })
  const last = before.at(-1)
  const isFirst = cursor === ''
  return {
    more: next === null ? null : at(next, shortened([...before, isFirst ? FIRST : cursor])),
    previous: isFirst || last === undefined ? null : at(last, before.slice(0, -1)),
    first: isFirst ? null : at(FIRST, []),
  }
}

/** The whole listing as a file. A link can have no `Accept` header, so the address says the type. */
export function downloadLink(req: Request, format: string): { format: string; path: string } {
  return { format, path: address(req, '', { limit: '', format }) }
}

function trailOf(req: Request): readonly string[] {
  const trail = wordOf(req, 'before')
  if (trail.length > LONGEST_TRAIL) return []
  return wordOf(req, 'cursor') !== '' && /^[\w-]+(\.[\w-]+)*$/.test(trail) ? trail.split('.') : []
}

function shortened(trail: readonly string[]): readonly string[] {
  return trail.join('.').length <= LONGEST_TRAIL ? trail : shortened(trail.slice(1))
}

function address(req: Request, path: string, more: Readonly<Record<string, string>>): string {
  const kept = KEPT.map((name) => [name, wordOf(req, name)] as const)
  const all = Object.fromEntries([...kept, ...Object.entries(more)])
  const given = Object.entries(all).filter(([, value]) => value !== '')
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

function wordOf(req: Request, name: string): string {
  const value: unknown = Reflect.get(req.query, name)
  return typeof value === 'string' ? value : ''
}
