import express, { type NextFunction, type Request, type Response } from 'express'
import { malformed, type Problem } from '../../text/problem.js'
import { isOfType } from './content-type.js'

const LARGEST = 4096
/** Of a body that names up to 500 users. */
export const LARGE_BODY = 65_536
/** As many as `express.urlencoded()` reads. */
const FIELDS_AT_MOST = 1000
const parsersOf = (limit: number) => [
  express.json({ limit, strict: true }),
  express.urlencoded({ limit, extended: false }),
]
const parsers = parsersOf(LARGEST)

/**
 * Reads a form or JSON body, unless the host has read it already.
 *
 * @param largest in bytes. Default: 4 KB
 */
export async function readBody(
  req: Request,
  res: Response,
  largest = LARGEST,
): Promise<Problem | null> {
  if (req.body !== undefined) {
    const large = tooLarge(req.body)
    return large === null ? null : malformed(large.field, 413)
  }
  if (!hasBody(req)) return null
  if (!isOfType(req, ['application/json', 'application/x-www-form-urlencoded'])) {
    return malformed(null, 415)
  }
  try {
    for (const parser of largest === LARGEST ? parsers : parsersOf(largest)) {
      if (req.body === undefined) await run(parser, req, res)
    }
    return null
  } catch (error) {
    const status: unknown = Reflect.get(Object(error), 'status')
    return malformed(null, status === 413 || status === 415 ? status : undefined)
  }
}

/**
 * One text field of the body. Undefined for anything else: a repeated field, a number, an object,
 * or an invalid body.
 */
export function fieldOf(req: Request, name: string): string | undefined {
  const body: unknown = req.body
  if (!hasFields(body) || !Object.hasOwn(body, name)) return undefined
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value : undefined
}

/** Whether a box is ticked: a form sends `1` then, else nothing. Undefined for anything else, as `true` in JSON. */
export function isTicked(req: Request, name: string): boolean | undefined {
  const body: unknown = req.body
  if (!hasFields(body) || !Object.hasOwn(body, name)) return false
  return fieldOf(req, name) === '1' ? true : undefined
}

/**
 * Whether a body has named fields. Texts, lists and bytes have none: their members are as many as
 * they are long, and listing those of a few megabytes takes seconds.
 */
export function hasFields(body: unknown): body is Readonly<Record<string, unknown>> {
  const isObject = typeof body === 'object' && body !== null
  return isObject && !Array.isArray(body) && !ArrayBuffer.isView(body)
}

/**
 * If the host read the body, with its own limits, this limit applies to each field.
 *
 * @returns the first field that is too long, or no field where there are too many; else null
 */
function tooLarge(body: unknown): { readonly field: string | null } | null {
  if (!hasFields(body)) return null
  let seen = 0
  for (const name in body) {
    seen += 1
    if (seen > FIELDS_AT_MOST) return { field: null }
    const value = body[name]
    if (typeof value === 'string' && Buffer.byteLength(value) > LARGEST) return { field: name }
  }
  return null
}

export function hasBody(req: Request): boolean {
  return req.get('transfer-encoding') !== undefined || Number(req.get('content-length') ?? 0) > 0
}

function run(parser: express.RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next: NextFunction = (error?: unknown) => (error ? reject(error) : resolve())
    parser(req, res, next)
  })
}
