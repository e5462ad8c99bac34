import type { Request, Response } from 'express'
import { hasBody } from './body.js'

/** Whether the client has still to send some of the request's body. */
export function isBodyOnItsWay(req: Request): boolean {
  return hasBody(req) && !req.complete
}

/**
 * Holds back the end of the body until `mayEnd` has looked. Whatever reads the body, a parser that is
 * mounted behind or a stream into a file, waits for its end before anything is done with it. Where it
 * may not end, the reader is let go of with an error once the answer is out.
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
      // Answered without its body: nobody reads what is left, and the connection can serve the next
      // request. Or by a time-out of the host's: whoever still waits for the body must not go on.
      if (!isRead(req)) return push(null)
      letGo()
      return false
    }
    const hadBegun = res.headersSent
    mayEnd().then((may) => {
      if (may && !isAnsweredSince(hadBegun, res)) push(null)
      else letGo()
    })
    return false
  }
}

function isRead(req: Request): boolean {
  return req.listenerCount('data') > 0 || req.listenerCount('readable') > 0
}

/**
 * Whether the host has answered while something was looked up: nothing is to be done any more. An
 * answer that had begun before is one that goes on while the body comes.
 */
export function isAnsweredSince(hadBegun: boolean, res: Response): boolean {
  return res.writableEnded || (!hadBegun && res.headersSent)
}

function whenAnswered(res: Response, run: () => void): void {
  if (res.writableFinished || res.closed) run()
  else res.once('finish', run)
}
