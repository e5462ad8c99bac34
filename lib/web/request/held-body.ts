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
    // What was answered without its body is done; the rest of it is only thrown away.
    if (res.writableEnded) return push(null)
    mayEnd().then((may) => {
      if (may) push(null)
      else whenAnswered(res, () => req.destroy())
    })
    return false
  }
}

function whenAnswered(res: Response, run: () => void): void {
  if (res.writableFinished || res.closed) run()
  else res.once('finish', run)
}
