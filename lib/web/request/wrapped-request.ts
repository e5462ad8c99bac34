import { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import type { RequestNotes } from './request-notes.js'

/**
 * What is noted of a request that code of the host may have wrapped: in an object that inherits from it,
 * or in a proxy, through which its response still leads to it.
 */
export function noteBehind<Note>(notes: RequestNotes<Note>, req: Request): Note | undefined {
  // Most are the requests themselves.
  return notes.get(req) ?? inherited(notes, req) ?? inherited(notes, req.res?.req)
}

function inherited<Note>(notes: RequestNotes<Note>, req: Request | undefined): Note | undefined {
  for (const one of chainOf(req)) {
    const note = notes.get(one)
    if (note !== undefined) return note
  }
  return undefined
}

/** Under these, objects that stand for a request lead to it: a context of GraphQL, for example. */
const LEADS = ['req', 'request'] as const

/**
 * The request for which an object stands that the host handed on instead: itself, what inherits from it, a proxy,
 * a copy, a context `{ req, res }`. Undefined where nothing leads from the object to a request.
 */
export function requestBehind(req: Request): Request | undefined {
  if (isRequest(req)) return req
  return [req, ...LEADS.map((lead) => Reflect.get(req, lead)), ofSession(req)]
    .filter(isObject)
    .flatMap((one) => [...chainOf(one), ...chainOf(one.res?.req)])
    .find(isRequest)
}

/** Whether it is a request itself. Express and Node link it to its response; an upgrade has none. */
function isRequest(one: Request): boolean {
  const { res } = one
  if (res) return res.req === one
  return one instanceof IncomingMessage && Object.hasOwn(one, '_readableState')
}

/** express-session notes it there, where no copy of the session has it. */
function ofSession({ session }: Request): unknown {
  return session ? Reflect.get(session, 'req') : undefined
}

function isObject(value: unknown): value is Request {
  return typeof value === 'object' && value !== null
}

function chainOf(req: Request | undefined): readonly Request[] {
  const chain: Request[] = []
  for (let one: Request | null = req ?? null; one !== null; one = Object.getPrototypeOf(one)) {
    chain.push(one)
  }
  return chain
}
