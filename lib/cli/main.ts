#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { generateKey } from '../keys/generate-key.js'
import { system } from '../ports/system.js'
import { initRedis } from './init-redis.js'

const USAGE = `Usage: npx passport-second-step <command>

  keygen    Prints a fresh key for the option "keys": base64 of 32 random bytes.
  init      Makes the marker that lets redisStore trust its Redis in production.
            Run it once for a new Redis; after a loss of data restore a backup first.
            --redis URL    default: the environment variable REDIS_URL
            --prefix NAME  as given to redisStore; default: second-step
  --help    Shows this.
`

/** Wrong use of the command line: answered with the usage and exit code 2. */
class UsageError extends Error {}

async function run(args: string[]): Promise<string> {
  const { values, positionals } = readArguments(args)
  const [command, ...more] = positionals
  if (values.help === true) return USAGE
  if (more.length > 0) throw new UsageError(`Unexpected "${more.join(' ')}".`)
  if (command === 'keygen') return `${generateKey(system)}\n`
  if (command === 'init') return `${await initRedis(redisUrl(values.redis), values.prefix)}\n`
  throw new UsageError(command === undefined ? 'No command.' : `Unknown command "${command}".`)
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        redis: { type: 'string' },
        prefix: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

function redisUrl(given: string | undefined): string {
  const url = given ?? process.env.REDIS_URL
  if (url === undefined || url === '') throw new UsageError('No Redis: give --redis or REDIS_URL.')
  return url
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

try {
  process.stdout.write(await run(process.argv.slice(2)))
} catch (error) {
  const usage = error instanceof UsageError
  process.stderr.write(`${messageOf(error)}\n${usage ? `\n${USAGE}` : ''}`)
  process.exitCode = usage ? 2 : 1
}
