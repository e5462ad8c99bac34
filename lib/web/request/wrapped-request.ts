import type { Request } from 'express'

/**
 * What is noted of a request that code of the host may have wrapped: in an object that inherits from it,
 * or in a proxy, through which its response still leads to it.
 */
export function noteBehind<Note>(notes: WeakMap<Request, Note>, req: Request): Note | undefined {
  return inherited(notes, req) ?? inherited(notes, req.res?.req)
}

function inherited<Note>(
  notes: WeakMap<Request, Note>,
  req: Request | undefined,
): Note | undefined {
  for (let one: Request | null = req ?? null; one !== null; one = Object.getPrototypeOf(one)) {
    const note = notes.get(one)
    if (note !== undefined) return note
  }
  return undefined
}
