#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { generateKey } from '../keys/generate-key.js'
import { system } from '../ports/system.js'
import { check, type Findings } from './check.js'
import { readConfig } from './config.js'
import { initRedis } from './init-redis.js'
import { migrate } from './migrate.js'

const USAGE = `Usage: npx passport-second-step <command>

  keygen    Prints a fresh key for the option "keys": base64 of 32 random bytes.
  init      Makes the marker that lets redisStore trust its Redis in production.
            Run it once for a new Redis; after a loss of data restore a backup first.
            --redis URL    default: the environment variable REDIS_URL
            --prefix NAME  as given to redisStore; default: second-step
  migrate   Makes the tables of knexStore, or adds what this version needs.
            Safe to run again, and by several processes at once.
            --config FILE  see below
  check     Reads every record, and opens its secrets where the config has the keys.
            --config FILE  see below
  --help    Shows this.

FILE is an ES module whose default export is the app's options of createSecondStep,
or has at least "store" and, where secrets are opened, "keys".
`

/** Wrong use of the command line: answered with the usage and exit code 2. */
class UsageError extends Error {}

async function run(args: string[]): Promise<string> {
  const { values, positionals } = readArguments(args)
  const [command, ...more] = positionals
  if (values.help === true) return USAGE
  if (more.length > 0) throw new UsageError(`Unexpected "${more.join(' ')}".`)
  if (command === 'keygen') return `${generateKey(system)}\n`
  if (command === 'migrate')
    return `${await migrate(await readConfig(configFile(values.config)))}\n`
  if (command === 'check') return report(await check(await readConfig(configFile(values.config))))
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
        config: { type: 'string' },
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

function configFile(given: string | undefined): string {
  if (given === undefined || given === '') throw new UsageError('No config: give --config FILE.')
  return given
}

function report({ read, broken }: Findings): string {
  if (broken.length === 0) return `Read ${read} records: all are whole.\n`
  throw new Error([...broken, `Read ${read} records: ${broken.length} are broken.`].join('\n'))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends the process too: connections that a config has opened would keep it alive. */
function end(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.write(text, () => process.exit(exitCode))
}

try {
  end(process.stdout, await run(process.argv.slice(2)), 0)
} catch (error) {
  const usage = error instanceof UsageError
  end(process.stderr, `${messageOf(error)}\n${usage ? `\n${USAGE}` : ''}`, usage ? 2 : 1)
}
