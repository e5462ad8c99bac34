import { once } from 'node:events'
import { createServer } from 'node:http'
import { makeApp } from '../../example-app/app.js'
import { scryptPasswords } from '../../example-app/passwords.js'
import { readSettings } from '../../example-app/settings.js'
import { openStores, type Stores } from '../../example-app/stores.js'
import { defaultPolicy } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { DAY_MS } from '../../lib/domain/units.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { Random } from '../fleet/random.js'
import { makeLog } from './log.js'
import { ADMIN, BOUND_ROLE, GRACE_DAYS, HELP_DESK, makePeople, ROLES } from './people.js'
import { keyOf, recordMaker, secretOf } from './records.js'

/** People to look at the admin pages with: `DEMO_PEOPLE` of them, drawn by `DEMO_SEED`. */
const count = Number(process.env.DEMO_PEOPLE ?? 10_000)
const seed = Number(process.env.DEMO_SEED ?? 1)
const PASSWORD = 'admin-password'
const AT_ONCE = 500

const key = keyOf(seed)
const settings = { ...readSettings(process.env), secondStepKeys: [key] }
if (settings.production || settings.redisUrl !== null || settings.databaseUrl !== null) {
  throw new Error('The demo keeps all in its process: unset NODE_ENV, REDIS_URL and DATABASE_URL.')
}
const stores = await openStores(settings)
const passwords = scryptPasswords(settings.passwordCost)
const codes = await fill(stores)
const { app } = makeApp(settings, stores, passwords, {
  roles: [...ROLES],
  helpDeskRoles: ['support'],
})
await once(createServer(app).listen(settings.port), 'listening')

console.log(`Admin pages: ${settings.origin}/admin/second-step`)
for (const { id, email } of [ADMIN, HELP_DESK]) {
  console.log(`Sign in as ${email} / ${PASSWORD}. Codes: ${(codes.get(id) ?? []).join(' ')}`)
}
console.log(`Each code works once. Press Enter for the code of ${ADMIN.email} at the moment.`)
process.stdin.on('data', () => {
  const parameters = { algorithm: 'sha1', digits: 6, period: 30 } as const
  const step = Math.floor(Date.now() / 1000 / parameters.period)
  console.log(codeAt(step, secretOf(key, ADMIN.id), parameters))
})

/** Writes people, records, policy and log through the stores. @returns the codes of who signs in */
async function fill({ users, secondStep: { store } }: Stores) {
  const [now, random] = [Date.now(), new Random(seed)]
  const people = makePeople(count, random.branch(), now)
  const { recordOf, withCodes } = recordMaker(key, random.branch(), now)
  const [hash, nobodys] = [await passwords.hash(PASSWORD), await passwords.hash(key)]
  const records = new Map<string, SecondStepRecord>()
  const made = new Map<string, readonly string[]>()
  for (let from = 0; from < people.length; from += AT_ONCE) {
    for (const person of people.slice(from, from + AT_ONCE)) {
      const { user } = person
      const signsIn = user.id === ADMIN.id || user.id === HELP_DESK.id
      await users.add({ user, passwordHash: signsIn ? hash : nobodys })
      const plain = await recordOf(person)
      if (plain === null) continue
      const { record, codes = [] } = signsIn ? await withCodes(plain) : { record: plain }
      if (signsIn) made.set(user.id, codes)
      records.set(user.id, record)
      await store.write(record, 0)
    }
    process.stderr.write(`\r${Math.min(from + AT_ONCE, people.length)} of ${people.length} people`)
  }
  process.stderr.write('\n')
  const since = now - 60 * DAY_MS
  const requiredSince = { general: null, roles: { admin: since, [BOUND_ROLE]: since } }
  const roles = { admin: 'required', [BOUND_ROLE]: 'required' } as const
  const policy = {
    ...defaultPolicy,
    ...{ version: 1, writeId: 'demo', graceDays: GRACE_DAYS, updatedAt: now - 2 * DAY_MS },
    updatedBy: { kind: 'admin', id: ADMIN.id } as const,
  }
  await store.writePolicy({ ...policy, roles, requiredSince }, 0)
  await store.audit?.append(makeLog(people, records, random.branch(), now))
  return made
}
