import type { Request, Response } from 'express'
import { answeredSince } from './answered.js'
import { hasBody } from './body.js'
import { closeOnceSent } from './closed-response.js'

type Piece = Parameters<Request['push']>

/** Answers a request whose body may not go on. Never rejects. */
export type Refusal = () => Promise<void>

/** Whether the client has not sent the whole body yet. */
export function isBodyOnItsWay(req: Request): boolean {
  return hasBody(req) && !req.complete
}

/** Whether some of the body has arrived, read or unread, or all of it. */
export function hasBodyBegun(req: Request): boolean {
  return hasBody(req) && (req.complete || req.readableDidRead || req.readableLength > 0)
}

/**
 * The part of a body that is still on its way. A piece goes on to the readers (a later parser, or a
 * stream into a file) only after a check that began when the piece was there. The end alone is not
 * enough: a parser of multipart or of packed bodies can end before it.
 *
 * Pieces that arrive during a check wait for the next one, together. The client meanwhile sends no
 * more than its window: `push` says so to Node, and the readers ask for more once they have these.
 *
 * After a refusal the rest of the body is dropped. The client gets the answer at the end of the body,
 * because few clients read one before. Then the readers get an error.
 */
export class HeldBody {
  readonly #req: Request
  readonly #res: Response
  readonly #pass: Request['push']
  #look: (() => Promise<Refusal | null>) | null = null
  #held: Piece[] = []
  #looking = false
  #hasPassed = false
  #hasEnded = false
  /** What remains to be done at the end of a body that is dropped. */
  #atEnd: (() => void) | null = null

  /** Holds everything back until `open` or `release`. */
  constructor(req: Request, res: Response) {
    this.#req = req
    this.#res = res
    this.#pass = req.push.bind(req)
    req.push = (...piece) => this.#arrive(piece)
  }

  /** @param look answers null where the pieces that are there may go on; never rejects */
  open(look: () => Promise<Refusal | null>): void {
    this.#look = look
    this.#lookIfNeeded()
  }

  /** For a request that goes no further: nobody behind the guard reads its body. */
  release(): void {
    this.#req.push = this.#pass
    for (const piece of this.#held.splice(0)) this.#pass(...piece)
  }

  /** Node's parser pushes null behind the last piece. */
  #arrive(piece: Piece): boolean {
    if (piece[0] === null) this.#hasEnded = true
    if (this.#atEnd !== null) {
      if (this.#hasEnded) this.#atEnd()
      return true
    }
    if (this.#res.writableEnded) {
      this.#drop(() => this.#letAnsweredEnd())
      return true
    }
    this.#held.push(piece)
    this.#lookIfNeeded()
    return false
  }

  #lookIfNeeded(): void {
    if (this.#look === null || this.#looking || this.#held.length === 0) return
    this.#looking = true
    this.#lookAtHeld(this.#look)
      .catch((error) => {
        // A reader threw at a piece: the host's error, told as it is without this guard.
        process.nextTick(() => {
          throw error
        })
      })
      .finally(() => {
        this.#looking = false
        this.#lookIfNeeded()
      })
  }

  async #lookAtHeld(look: () => Promise<Refusal | null>): Promise<void> {
    // What comes in one read of the connection waits for one check.
    await new Promise((resolve) => setImmediate(resolve))
    const pieces = this.#held.splice(0)
    // The readers may answer what has been passed on. Any other answer during the check is the host's
    // time-out.
    const isAnswered = this.#hasPassed ? () => this.#res.writableEnded : answeredSince(this.#res)
    const refuse = await look()
    if (this.#atEnd !== null) return
    if (this.#req.destroyed) this.#drop(() => undefined)
    else if (isAnswered()) this.#drop(() => this.#letAnsweredEnd())
    else if (refuse !== null) this.#refuse(refuse)
    else this.#passOn(pieces)
  }

  #passOn(pieces: readonly Piece[]): void {
    this.#hasPassed = true
    const wants = pieces.map((piece) => this.#pass(...piece))
    // A second `requireFresh()` behind this one may drop what it gets, and then nobody reads.
    if (wants.at(-1) === true && !this.#hasEnded && !this.#req.destroyed) this.#req._read(0)
  }

  #refuse(refuse: Refusal): void {
    const answer = () => {
      closeOnceSent(this.#res)
      if (this.#res.writableEnded) this.#letGo()
      else refuse().then(() => this.#letGo())
    }
    // An answer that has begun can only be broken off, so that need not wait for the end of the body.
    const atOnce = this.#res.headersSent && !this.#hasEnded
    if (atOnce) answer()
    this.#drop(atOnce ? () => undefined : answer)
  }

  /** Passes nothing on from now on, and reads the rest of the body from the connection. */
  #drop(atEnd: () => void): void {
    this.#atEnd = atEnd
    this.#held = []
    if (this.#hasEnded) atEnd()
    // What was held has stopped the connection.
    else if (this.#looking && !this.#req.destroyed) this.#req._read(0)
  }

  /**
   * If the host's time-out answered, a reader that still waits for the body must not continue. If
   * nobody reads, the connection can serve the next request.
   */
  #letAnsweredEnd(): void {
    whenAnswered(this.#res, () => {
      if (isRead(this.#req)) {
        closeOnceSent(this.#res)
        this.#req.destroy()
      } else {
        this.#pass(null)
        this.#req.resume()
      }
    })
  }

  #letGo(): void {
    whenAnswered(this.#res, () => this.#req.destroy())
  }
}

function isRead(req: Request): boolean {
  return req.listenerCount('data') > 0 || req.listenerCount('readable') > 0
}

function whenAnswered(res: Response, run: () => void): void {
  if (res.writableFinished || res.closed) run()
  else res.once('finish', run)
}
