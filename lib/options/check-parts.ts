import { checkNames } from '../errors/check-names.js'
import { isHostRedis } from '../redis/host-redis.js'
import type { PassportInstance } from '../web/request/passport.js'
import { check, has, isListOf, isText } from './check.js'
import type { LostDelay, SecondStepOptions } from './options.js'

const DELAYS: readonly LostDelay[] = ['0', '24h', '72h']

/** Checks the host's objects by the methods that the package calls on them. */
export function checkParts<U>({
  store,
  audit,
  counters,
  redis,
  passports,
  messages,
  system,
  telemetry,
}: SecondStepOptions<U>): void {
  check(
    has(store, ['find', 'write', 'findPolicy', 'writePolicy', 'list']),
    '`store` must be a record store: redisStore(redis), knexStore(db), memoryStore() or your own',
  )
  check(
    audit === undefined || has(audit, ['append', 'list']),
    '`audit` must be an audit log: redisAuditLog(redis), knexAuditLog(knex) or your own',
  )
  check(
    redis === undefined || isHostRedis(redis),
    '`redis` must be an ioredis client, such as new Redis(url), or one of the package redis 5 or 6',
  )
  check(
    counters === undefined || has(counters, ['counter']),
    '`counters` must be redisCounters(redis), knexCounters(db) or your own',
  )
  check(
    counters === undefined || redis === undefined,
    'give `counters` or `redis`, not both: `redis` is short for counters: redisCounters(redis)',
  )
  const isPassport = (item: unknown): item is PassportInstance =>
    has(item, ['serializeUser', 'deserializeUser'])
  check(
    passports === undefined || (isListOf(passports, isPassport) && passports.length > 0),
    '`passports` must be a list of Passport instances, all that the app has',
  )
  check(
    messages === undefined ||
      (typeof messages === 'object' && messages !== null && !Array.isArray(messages)),
    '`messages` must be an object: texts by language and key',
  )
  check(
    telemetry === undefined || (has(telemetry?.metrics, ['getMeter']) && isTrace(telemetry.trace)),
    '`telemetry` must be `{ metrics, trace }` of @opentelemetry/api, or its `metrics` alone',
  )
  check(
    system === undefined || has(system, ['now', 'random']),
    '`system` must have the methods now() and random(size)',
  )
  check(
    system?.monotonic === undefined || has(system, ['monotonic']),
    '`system.monotonic` must be a method that answers with milliseconds',
  )
}

function isTrace(trace: unknown): boolean {
  return trace === undefined || has(trace, ['getTracer', 'getActiveSpan'])
}

/** Without `users` the package cannot find the recipients. */
export function checkMail<U>({ users, mail }: SecondStepOptions<U>): void {
  check(
    users === undefined || has(users, ['findById']),
    '`users` must have the method findById(id)',
  )
  check(
    users?.list === undefined || has(users, ['list']),
    '`users.list` must be a method: list({ search, cursor, limit })',
  )
  if (mail === undefined) return
  check(typeof mail === 'object' && mail !== null, '`mail` must be an object: { transport, from }')
  checkNames(mail, ['transport', 'from', 'tellAdmins'], 'mail.')
  check(
    has(mail.transport, ['sendMail']),
    '`mail.transport` must be what nodemailer.createTransport(…) makes, or have its sendMail(mail)',
  )
  check(
    isText(mail.from) && !/[\r\n]/.test(mail.from),
    '`mail.from` must be an address such as Acme <no-reply@acme.example>',
  )
  check(
    mail.tellAdmins === undefined || typeof mail.tellAdmins === 'boolean',
    '`mail.tellAdmins` must be true or false',
  )
  check(users !== undefined, '`mail` needs `users: { findById(id) }`, to know whom to write to')
}

/** Days before the end of the days of grace. */
export function checkReminders<U>({
  reminders,
  mail,
}: Pick<SecondStepOptions<U>, 'reminders' | 'mail'>): readonly number[] {
  if (reminders === false) return []
  if (reminders === undefined) return mail === undefined ? [] : REMINDER_DAYS
  check(
    typeof reminders === 'object' && reminders !== null,
    '`reminders` must be false, or an object: { days: [7, 3, 1] }',
  )
  checkNames(reminders, ['days'], 'reminders.')
  check(mail !== undefined, '`reminders` need `mail: { transport, from }`, to send them')
  const { days = REMINDER_DAYS } = reminders
  check(
    Array.isArray(days) &&
      days.length > 0 &&
      days.every((day) => Number.isInteger(day) && day >= 1 && day <= 20),
    '`reminders.days` must be whole numbers from 1 to 20: [7, 3, 1], say. To remind nobody, give `reminders: false`',
  )
  return [...days]
}

const REMINDER_DAYS: readonly number[] = [7, 3, 1]

/** A misspelt delay would mean no wait, although the host relies on one. */
export function checkLost<U>({ lost, mail }: SecondStepOptions<U>): void {
  if (lost === undefined || lost === false) return
  check(
    typeof lost === 'object' && lost !== null,
    '`lost` must be false, or an object: { delay, allow, heldUntil }',
  )
  checkNames(lost, ['delay', 'allow', 'heldUntil'], 'lost.')
  check(
    lost.delay === undefined || DELAYS.includes(lost.delay),
    `\`lost.delay\` must be one of ${DELAYS.join(', ')}, as a text`,
  )
  for (const name of ['allow', 'heldUntil'] as const) {
    const given: unknown = lost[name]
    check(given === undefined || typeof given === 'function', `\`lost.${name}\` must be a function`)
  }
  check(mail !== undefined, '`lost` needs `mail: { transport, from }`, to send the link')
}
