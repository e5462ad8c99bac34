#!/usr/bin/env node
import { type Ending, run, uncaught, unsettled } from './run.js'

const args = process.argv.slice(2)
let ended = false

/** Prints the first ending there is. */
function end({ exitCode, stdout, stderr }: Ending): void {
  if (ended) return
  ended = true
  // Also ends the process: connections that the config opened would keep it alive.
  process.stderr.write(stderr, () => {
    process.stdout.write(stdout, () => process.exit(exitCode))
  })
}

// Node would print the whole error, with whatever secrets the config's code has put into it.
process.on('uncaughtException', (error) => end(uncaught(args, error)))
process.on('unhandledRejection', (reason) => end(uncaught(args, reason)))
process.on('beforeExit', () => end(unsettled(args)))

end(await run(args))
