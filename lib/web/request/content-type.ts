import type { Request } from 'express'

const USUAL: readonly string[] = ['application/json', 'application/x-www-form-urlencoded']

/** As `req.is`, which reads the header anew at every call. Most send a type as it stands here. */
export function isOfType(req: Request, types: readonly string[]): boolean {
  const { 'content-type': sent, 'content-length': length } = req.headers
  if (sent === undefined) return false
  // Without a length there may be no body, which then has no type.
  if (length !== undefined && USUAL.includes(sent)) return types.includes(sent)
  return Boolean(req.is([...types]))
}
