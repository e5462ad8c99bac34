import { randomBytes } from 'node:crypto'
import type { Durability } from 'passport-second-step'
import { SAFE_COST } from './passwords.js'

/** The packages that can connect to Redis, by the names that `REDIS_CLIENT` has for them. */
const REDIS_CLIENTS = ['ioredis', 'node-redis'] as const

export type RedisClientName = (typeof REDIS_CLIENTS)[number]

/** What the environment says, completed with defaults. */
export interface Settings {
  readonly production: boolean
  readonly port: number
  readonly origin: string
  /** Null: everything is kept in this process. */
  readonly redisUrl: string | null
  /** The package that connects to it. */
  readonly redisClient: RedisClientName
  /** What a write to Redis waits for. Null: for no replica. */
  readonly redisDurability: Durability | null
  /** Null: users and second steps are where the sessions are. */
  readonly databaseUrl: string | null
  readonly sessionSecret: string
  readonly secondStepKeys: readonly string[]
  /** Of scrypt. */
  readonly passwordCost: number
  /** Null: mails go to the mailbox; in production nowhere. */
  readonly smtpUrl: string | null
  readonly mailFrom: string
  /** Express's `trust proxy`. */
  readonly trustProxy: false | number | string
  /** What the person at the terminal should know before relying on this process. */
  readonly notes: readonly string[]
}

/** Why the app cannot start, in a sentence for the person at the terminal. */
export class StartError extends Error {}

/** @throws StartError */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const production = env.NODE_ENV === 'production'
  const given = {
    REDIS_URL: env.REDIS_URL?.trim() ?? '',
    SESSION_SECRET: env.SESSION_SECRET?.trim() ?? '',
    SECOND_STEP_KEYS: env.SECOND_STEP_KEYS?.trim() ?? '',
  }
  const missing = Object.entries(given).flatMap(([name, value]) => (value === '' ? [name] : []))
  if (production && missing.length > 0) {
    throw new StartError(`With NODE_ENV=production set ${missing.join(', ')} too.`)
  }
  const port = portOf(env.PORT)
  const origin = env.ORIGIN?.trim() || `http://localhost:${port}`
  const trustProxy = trustProxyOf(env.TRUST_PROXY)
  const smtpUrl = smtpUrlOf(env.SMTP_URL)
  const databaseUrl = databaseUrlOf(env.DATABASE_URL)
  return {
    production,
    port,
    origin,
    redisUrl: given.REDIS_URL || null,
    redisClient: redisClientOf(env.REDIS_CLIENT),
    redisDurability: durabilityOf(env.REDIS_DURABILITY),
    databaseUrl,
    sessionSecret: given.SESSION_SECRET || randomBytes(32).toString('base64'),
    secondStepKeys: keysOf(given.SECOND_STEP_KEYS),
    passwordCost: passwordCostOf(env.PASSWORD_COST, production),
    smtpUrl,
    mailFrom: env.MAIL_FROM?.trim() || 'Example App <no-reply@example.test>',
    trustProxy,
    notes: [
      ...notesOn(missing, databaseUrl),
      ...notesOnProxy(origin, trustProxy),
      ...notesOnMails(smtpUrl, production, origin),
    ],
  }
}

function redisClientOf(given = ''): RedisClientName {
  const wanted = given.trim() || 'ioredis'
  const name = REDIS_CLIENTS.find((one) => one === wanted)
  if (name !== undefined) return name
  throw new StartError(`REDIS_CLIENT must be ${REDIS_CLIENTS.join(' or ')}, not "${given}".`)
}

function durabilityOf(given = ''): Durability | null {
  if (given.trim() === '') return null
  const [, replicas, within] = /^\s*(\d+),(\d+)\s*$/.exec(given) ?? []
  if (replicas !== undefined) return { replicas: Number(replicas), within: Number(within) }
  throw new StartError(
    `REDIS_DURABILITY must be replicas and milliseconds, such as 1,50, not "${given}".`,
  )
}

function portOf(given = ''): number {
  const port = given.trim() === '' ? 3000 : Number(given)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new StartError(`PORT must be a number from 1 to 65535, not "${given}".`)
}

/** Cheap passwords are for development and tests, where thousands of people sign in. */
function passwordCostOf(given = '', production: boolean): number {
  const cost = given.trim() === '' ? SAFE_COST : Number(given)
  if (!Number.isInteger(cost) || cost < 1 || cost > SAFE_COST) {
    throw new StartError(`PASSWORD_COST must be a number from 1 to ${SAFE_COST}.`)
  }
  if (production && cost < SAFE_COST) {
    throw new StartError('With NODE_ENV=production leave PASSWORD_COST out.')
  }
  return cost
}

/** @returns null where no mail server is given */
function smtpUrlOf(given = ''): string | null {
  const url = given.trim()
  if (url === '' || (/^smtps?:\/\/./.test(url) && URL.canParse(url))) return url || null
  throw new StartError('SMTP_URL must be an address such as smtp://user:password@host:587.')
}

/** @returns null where no database is given */
function databaseUrlOf(given = ''): string | null {
  const url = given.trim()
  const server = /^(postgres|postgresql|mysql|mariadb):\/\/./.test(url) && URL.canParse(url)
  if (url === '' || server || /^sqlite:./.test(url)) return url || null
  throw new StartError(
    'DATABASE_URL must be an address such as postgres://user:password@host/name, mysql://… or sqlite:file.',
  )
}

/** A number of proxies, or a list of their addresses, as Express takes them. */
function trustProxyOf(given = ''): Settings['trustProxy'] {
  const value = given.trim()
  if (value === '' || value === 'false') return false
  if (value === 'true') {
    throw new StartError(
      'TRUST_PROXY=true would believe whatever address a client sends: give the number of proxies, or their addresses.',
    )
  }
  return /^\d+$/.test(value) ? Number(value) : value
}

function keysOf(given: string): readonly string[] {
  const keys = given.split(',').flatMap((key) => key.trim() || [])
  return keys.length > 0 ? keys : [randomBytes(32).toString('base64')]
}

function notesOn(missing: readonly string[], databaseUrl: string | null): readonly string[] {
  if (missing.includes('REDIS_URL') && databaseUrl === null) {
    return ['Without REDIS_URL a restart forgets everything: users, second steps and sessions.']
  }
  // Throw-away secrets are not kept in that Redis: a copy of it must yield nothing usable.
  const thrownAway = {
    SECOND_STEP_KEYS: 'no second step that was set up works after a restart',
    SESSION_SECRET: 'everybody is signed out after a restart',
  }
  const forgets = missing.includes('REDIS_URL')
    ? ['Without REDIS_URL a restart signs everybody out, and processes share no sessions.']
    : []
  const notes = Object.entries(thrownAway).flatMap(([name, lost]) =>
    missing.includes(name)
      ? [
          `${name} is not set: this process has made one to throw away, so ${lost}. ` +
            'All processes on one Redis need the same.',
        ]
      : [],
  )
  return [...forgets, ...notes]
}

function notesOnProxy(origin: string, trustProxy: Settings['trustProxy']): readonly string[] {
  if (!origin.startsWith('https:') || trustProxy !== false) return []
  return [
    'ORIGIN is https: tell with TRUST_PROXY which proxy does it, or no session cookie is set.',
  ]
}

function notesOnMails(smtpUrl: string | null, production: boolean, origin: string) {
  if (smtpUrl !== null) return []
  if (production) return ['Without SMTP_URL nobody is told by mail what happens to a second step.']
  return [`Without SMTP_URL no mail is sent: they appear at ${origin}/mailbox.`]
}
