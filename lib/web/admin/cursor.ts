import type { MemberQuery, Place } from '../../service/directory.js'

/** A listing, which a cursor belongs to. */
type Listing = Pick<MemberQuery, 'search' | 'state'>

/** A place in a listing as text for addresses. */
export function writeCursor({ search, state }: Listing, place: Place | null): string | null {
  if (place === null) return null
  const { source, cursor } = place
  return Buffer.from(JSON.stringify({ search, state, source, cursor })).toString('base64url')
}

/** @returns undefined for a cursor that no page of this listing has given */
export function readCursor(listing: Listing, text: string): Place | undefined {
  const { source, cursor } = partsOf(text)
  const right = typeof source === 'string' && (cursor === null || typeof cursor === 'string')
  if (!right) return undefined
  const place = { source, cursor } as Place
  return writeCursor(listing, place) === text ? place : undefined
}

function partsOf(text: string): { source?: unknown; cursor?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    return {}
  }
}
