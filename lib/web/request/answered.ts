import type { Response } from 'express'

/**
 * Starts to watch a response. The returned function says whether the host has answered since then, by its
 * own time-out for example, so that nothing remains to be done. An answer that began before does not
 * count: it continues while the body arrives.
 */
export function answeredSince(res: Response): () => boolean {
  const hadBegun = res.headersSent
  return () => (hadBegun ? res.writableEnded : res.headersSent)
}
