import type { Redis } from 'ioredis'

/** What one piece of work sent to Redis. */
export interface Sent {
  readonly commands: readonly string[]
  /** How often a command was sent after the answers of all before it: what a request waits for. */
  readonly trips: number
}

/** Counts the commands of a client, and the trips that they take. */
export function countedRedis(redis: Redis): (run: () => PromiseLike<unknown>) => Promise<Sent> {
  let commands: string[] = []
  let [trips, underWay] = [0, 0]
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    if (underWay === 0) trips += 1
    underWay += 1
    commands.push(command.name)
    const ends = () => {
      underWay -= 1
    }
    command.promise.then(ends, ends)
    return send(command, stream)
  }
  return async (run) => {
    commands = []
    trips = 0
    await run()
    return { commands, trips }
  }
}
