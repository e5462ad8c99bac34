import type { Redis } from 'ioredis'
import type { Counted } from '../apps/settings.js'

/** Counts what one request sends to Redis, from the process of the app. */
export interface CommandCounter {
  start(): void
  /** The response has left: what is answered from now on did not hold it up. */
  responded(): void
  /** Waits for what is still under way. */
  stop(): Promise<Counted>
}

/** @param redis the app's one connection; null counts nothing */
export function countCommands(redis: Redis | null): CommandCounter {
  let commands: string[] = []
  let underWay: Promise<unknown>[] = []
  // How long a chain of commands, each sent after the answer to the one before, is answered so far.
  let answered = 0
  let trips: number | null = null
  const hook = (connection: Redis) => {
    const send = connection.sendCommand
    connection.sendCommand = (command, stream) => {
      const place = answered + 1
      commands.push(command.name)
      const settled = () => {
        answered = Math.max(answered, place)
      }
      underWay.push(command.promise.then(settled, settled))
      return send.call(connection, command, stream)
    }
    return () => {
      connection.sendCommand = send
    }
  }
  let unhook = () => {}
  return {
    start() {
      commands = []
      underWay = []
      answered = 0
      trips = null
      // Only now: speed is measured without it.
      if (redis !== null) unhook = hook(redis)
    },
    responded() {
      trips ??= answered
    },
    async stop() {
      let seen = -1
      while (seen < underWay.length) {
        seen = underWay.length
        await Promise.all(underWay)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      unhook()
      return { commands, trips: trips ?? answered }
    },
  }
}
