import { generateKey } from '../keys/generate-key.js'
import { system } from '../ports/system.js'
import { check as checkAll, type Findings } from './check.js'
import { type Command, type Outcome, said } from './command.js'
import { readConfig } from './config.js'
import { events } from './events-command.js'
import { passedOver } from './every-record.js'
import { initRedis } from './init-redis.js'
import { migrate as migrateStore } from './migrate.js'
import { policy } from './policy-command.js'
import { progress } from './progress.js'
import { configIn, required } from './refusals.js'
import { remind } from './remind-command.js'
import { repair } from './repair-command.js'
import { report as reportAll } from './report-command.js'
import { reseal } from './reseal-command.js'
import { tokens } from './tokens-command.js'
import { upgrade as upgradeStore } from './upgrade.js'
import {
  backupCodes,
  disable,
  endSessions,
  oneTimeCode,
  pause,
  reset,
  resume,
  status,
  unlock,
} from './user-commands.js'
import { users } from './users-command.js'

const keygen: Command = {
  summary: 'Prints a fresh key for the option "keys".',
  usage: '',
  help: 'Base64 of 32 random bytes.',
  options: [],
  run: async () => said(generateKey(system)),
}

const init: Command = {
  summary: 'Makes the markers that let redisStore trust its Redis in production.',
  usage: '[--redis URL] [--prefix NAME]',
  help: `--redis URL    default: the environment variable REDIS_URL
--prefix NAME  as given to redisStore; default: second-step
Run it once for a new Redis; after a loss of data restore a backup first.`,
  options: ['redis', 'prefix'],
  run: async ({ redis, prefix }) => {
    const url = redis ?? process.env.REDIS_URL
    return said(await initRedis(required(url, 'No Redis: give --redis or REDIS_URL.'), prefix))
  },
}

const migrate: Command = {
  summary: 'Makes the tables of knexStore, or adds what this version needs.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep, or at least { store }
Safe to run again, and by several processes at once.`,
  options: ['config'],
  run: async (values) => said(await migrateStore(await readConfig(configIn(values)))),
}

const upgrade: Command = {
  summary: 'Moves the records that version 0.1.0 has kept in Redis to the keys of this version.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep, or at least { store }
Make a backup and stop every process of the app first: those of 0.1.0 answer 503 from then on. Each
record is read back before its old key is removed. Safe to run again where it was stopped.`,
  options: ['config'],
  run: async (values) => {
    const told = progress('Moved')
    const read = await readConfig(configIn(values))
    return said(await upgradeStore(read, told).finally(told.end))
  },
}

const check: Command = {
  summary: 'Reads every record, and opens its secrets where the config has the keys.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep, or at least { store, keys, realm }
--json         prints the result as JSON
Tells what still needs an older key of the ring, and whose codes end with it. Records of another
realm are passed over. Counts the users whose security keys are for another domain.`,
  options: ['config', 'json'],
  run: async (values) => {
    const told = progress('Checked')
    const read = await readConfig(configIn(values))
    return report(await checkAll(read, told).finally(told.end))
  },
}

function report(findings: Findings): Outcome {
  const { read, otherRealms, broken, use, moved, realm } = findings
  const whole = broken.length === 0
  const sum = whole
    ? `Read ${read} records: all are whole.`
    : `Read ${read} records: ${broken.length} are broken.`
  // A config with the store and the keys alone may have left its realm out.
  const unsure = realm === undefined && otherRealms > 0
  const hint = unsure ? ['If they are of this app, give `realm` in the config.'] : []
  const keys = use?.sentences(whole && !unsure) ?? []
  const others = [...passedOver(findings), ...hint, ...keys, ...(moved?.sentences() ?? [])]
  const text = [...broken, sum, ...others].join('\n')
  const movedKeys = moved?.counts ?? null
  const json = { read, otherRealms, broken, keys: use?.keys() ?? null, movedKeys }
  return { ok: whole, text, json }
}

/** All commands of the command line tool. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    keygen,
    init,
    migrate,
    upgrade,
    check,
    repair,
    reseal,
    status,
    reset,
    disable,
    pause,
    resume,
    unlock,
    'end-sessions': endSessions,
    'one-time-code': oneTimeCode,
    'backup-codes': backupCodes,
    remind,
    tokens,
    policy,
    report: reportAll,
    users,
    events,
  }),
)
