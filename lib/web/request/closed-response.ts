import type { Response } from 'express'

/** What writes to a response. Each throws, or fails in the background, after the answer was sent. */
const WRITERS = [
  ...['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders'],
  ...['writeContinue', 'writeProcessing', 'writeEarlyHints'],
] as const

/**
 * Once the response is sent, nothing that other code does to it has an effect. For an answer that the
 * package gave in place of code of the host's that is still running: that code may answer later, from a
 * callback where nobody catches, and what Node then throws would end the process.
 */
export function closeOnceSent(res: Response): void {
  if (res.writableFinished || res.closed) close(res)
  else res.once('finish', () => close(res)).once('close', () => close(res))
}

function close(res: Response): void {
  for (const name of WRITERS) put(res, name, () => res)
  put(res, 'write', (...given) => {
    later(given)
    return true
  })
  put(res, 'end', (...given) => {
    later(given)
    return res
  })
}

/** The callback, if there is one, as Node calls it where all is well. */
function later(given: readonly unknown[]): void {
  const done = given.at(-1)
  if (typeof done === 'function') process.nextTick(() => done())
}

function put(res: Response, name: string, value: (...given: unknown[]) => unknown): void {
  Object.defineProperty(res, name, { configurable: true, writable: true, value })
}
