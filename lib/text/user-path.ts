// A proxy may decode a path before it passes it on: nginx does, where it takes a prefix off. `x%2F..%2Fann` then
// arrives as `ann`, another user. The package cannot see that, so it writes such ids as `~` and base64url.

/** Ids that arrive as they are, whatever a proxy decodes, merges, resolves or trims. */
const PLAIN = /^[\w@+:-]+(\.[\w@+:-]+)*$/

/** The path of a user's page for admins. */
export function userPath(admin: string, hostId: string): string {
  return `${admin}/users/${segmentOf(hostId)}`
}

function segmentOf(id: string): string {
  return PLAIN.test(id) ? encodeURIComponent(id) : `~${Buffer.from(id).toString('base64url')}`
}

/**
 * The id that a decoded segment of a path stands for, or null for one that begins with `~` and that
 * the package would not write: `~YW5u` may be somebody's own id, and must not be read as `ann`.
 */
export function idOfSegment(segment: string): string | null {
  if (!segment.startsWith('~')) return segment
  const id = Buffer.from(segment.slice(1), 'base64url').toString()
  return id !== '' && segmentOf(id) === segment ? id : null
}
