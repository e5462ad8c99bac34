import type { MemberQuery, PageStart } from '../../service/directory.js'

/** A listing, which a cursor belongs to. */
type Listing = Pick<MemberQuery, 'search' | 'state'>

/** The start of a page of a listing, as text for addresses. */
export function writeCursor({ search, state }: Listing, start: PageStart | null): string | null {
  if (start === null) return null
  const { source, cursor, looked } = start
  return Buffer.from(JSON.stringify({ search, state, source, cursor, looked })).toString(
    'base64url',
  )
}

/** @returns undefined for a cursor that no page of this listing has given */
export function readCursor(listing: Listing, text: string): PageStart | undefined {
  const { source, cursor, looked } = partsOf(text)
  const right = typeof source === 'string' && (cursor === null || typeof cursor === 'string')
  if (!right || !(looked === undefined || isCount(looked))) return undefined
  const start = { source, cursor, ...(looked === undefined ? {} : { looked }) } as PageStart
  return writeCursor(listing, start) === text ? start : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function partsOf(text: string): { source?: unknown; cursor?: unknown; looked?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    return {}
  }
}
