/** The status of a client that nobody has connected, or that has given up. */
export const CLOSED = 'closed'

export function notConnected(): Error {
  return new Error(
    'the Redis client is not connected: call `await redis.connect()` at the start, and leave out a reconnectStrategy that gives up',
  )
}
