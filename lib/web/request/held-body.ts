import type { Request, Response } from 'express'
import { answeredSince } from './answered.js'
import { hasBody } from './body.js'

/** Whether the client has not sent the whole body yet. */
export function isBodyOnItsWay(req: Request): boolean {
  return hasBody(req) && !req.complete
}

/**
 * Holds back the end of the body until `mayEnd` has checked. Every reader of the body (a later
 * parser, or a stream into a file) waits for the end. If the body may not end, the reader gets an
 * error after the answer is sent.
 *
 * @param mayEnd answers the request itself where the body may not end; never rejects
 */
export function holdBodyEnd(req: Request, res: Response, mayEnd: () => Promise<boolean>): void {
  const push = req.push.bind(req)
  // Node's parser pushes null behind the last piece of the body.
  req.push = (piece: unknown, encoding?: BufferEncoding): boolean => {
    if (piece !== null) return push(piece, encoding)
    const letGo = () => whenAnswered(res, () => req.destroy())
    if (res.writableEnded) {
      // The request was answered before its body ended. Nobody reads the rest, and the connection
      // can serve the next request. If the host's time-out answered, a reader that still waits for
      // the body must not continue.
      if (!isRead(req)) return push(null)
      letGo()
      return false
    }
    const isAnswered = answeredSince(res)
    mayEnd().then((may) => {
      if (may && !isAnswered()) push(null)
      else letGo()
    })
    return false
  }
}

function isRead(req: Request): boolean {
  return req.listenerCount('data') > 0 || req.listenerCount('readable') > 0
}

function whenAnswered(res: Response, run: () => void): void {
  if (res.writableFinished || res.closed) run()
  else res.once('finish', run)
}
