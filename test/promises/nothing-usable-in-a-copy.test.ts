// The attack: somebody gets a copy of all of Redis, from a backup or an open port, and looks in it
// for whatever signs in: secrets of authenticators, backup codes, codes, passwords, cookies, keys.

import { expect } from 'chai'
import { redisStore } from '../../lib/index.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { enrolledAdmin } from '../support/demo-admin.js'
import {
  type Environment,
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { wrongOathtoolCode } from '../support/oathtool.js'
import {
  connectToRedis,
  mastersOf,
  type RedisClient,
  startRedis,
  type TestRedis,
} from '../support/redis.js'
import { bytesOfBase32, shapesFound, writings } from '../support/search.js'
import { Visitor } from '../support/visitor.js'

const CHALLENGE = '/second-step/challenge'

describe('Nothing usable is in a copy of Redis', function () {
  this.timeout(30_000)
  let server: TestRedis
  let redis: RedisClient
  let app: ExampleApp
  let secrets: Environment

  before(async () => {
    server = await startRedis()
    redis = connectToRedis(server.url)
    secrets = sharedSecrets()
    app = await startExampleApp({ REDIS_URL: server.url, ...secrets })
  })

  after(async () => {
    await app?.stop()
    redis?.disconnect()
    await server?.stop()
  })

  it('and a planted secret would be found, in every writing and every type of key', async () => {
    const secret = Buffer.from('a secret to plant, of some length')
    for (const [name, written] of writings(secret)) {
      const around = Buffer.concat([Buffer.from('{"it":"'), written, Buffer.from('"}')])
      await redis.set('planted', around)
      expect(shapesFound(await copyOf(redis), secret), name).to.include(name)
    }
    const key = Buffer.concat([Buffer.from('planted:'), secret])
    const plant = [
      () => redis.hset('planted', 'field', secret),
      () => redis.hset('planted', secret, 'value'),
      () => redis.rpush('planted', secret),
      () => redis.sadd('planted', secret),
      () => redis.zadd('planted', 1, secret),
      () => redis.set(key, 'value'),
    ]
    for (const type of plant) {
      await redis.del('planted')
      await type()
      expect(shapesFound(await copyOf(redis), secret), String(type)).not.to.be.empty
    }
    await Promise.all([redis.del('planted'), redis.del(key)])
    expect(shapesFound(await copyOf(redis), secret)).to.be.empty
  })

  it('after registrations, set-ups done and begun, logins done and begun, and wrong codes', async () => {
    const { usable, codes } = await liveThroughEverything(app.url)
    const copy = await copyOf(redis)

    const ours = ['}:r:', '}:marker', '}:list:all', '}:events:']
    for (const kind of [...ours, 'second-step:count:']) {
      expect(copy.includes(kind), `a copy without ${kind}`).to.equal(true)
    }
    for (const kind of ['sess:', '"pending"', '"verified"', '{example-app}:user:']) {
      expect(copy.includes(kind), `a copy without ${kind}`).to.equal(true)
    }
    const page = await redisStore(redis).list({ list: 'all', cursor: null, limit: 100, now: 0 })
    expect(
      page?.records.some(({ setup }) => setup !== null),
      'no set-up has begun',
    ).to.equal(true)
    for (const [what, secret] of [...usable, ...keysOf(secrets)]) {
      expect(shapesFound(copy, secret), what).to.deep.equal([])
    }
    for (const code of codes) {
      expect(copy.toString('latin1'), 'a code').not.to.match(new RegExp(`(?<!\\w)${code}(?!\\w)`))
    }
  })

  it('while somebody looks at codes that are shown once, and an admin at those for a user', async () => {
    const { usable, codes } = await lookAtNewCodes(app.url)
    const copy = await copyOf(redis)
    const kept = copy.toString('latin1').match(/"sealed":"/g)
    expect(kept, 'a copy without what a reload shows').to.have.length(3)
    for (const [what, secret] of usable) {
      expect(shapesFound(copy, secret), what).to.deep.equal([])
    }
    for (const code of codes) {
      expect(copy.toString('latin1'), 'a code').not.to.match(new RegExp(`(?<!\\w)${code}(?!\\w)`))
    }
  })
})

type Named = readonly [what: string, secret: Buffer]

/** Leaves somebody in every state that the records, the sessions and the counters know. */
async function liveThroughEverything(url: string): Promise<{ usable: Named[]; codes: string[] }> {
  const [newcomer, beginner, owner] = [new Visitor(url), new Visitor(url), new Visitor(url)]
  const persons = [newPerson(), newPerson()] as const
  await newcomer.postJson('/register', persons[0])
  await passwordLogin(new Visitor(url), { ...persons[0], password: 'a-wrong-password' })
  await beginner.postJson('/register', persons[1])
  const { secret: begun = '' } = (await beginner.getJson('/second-step/setup')).body
  const typo = await wrongOathtoolCode(begun)
  await beginner.postJson('/second-step/setup', { code: typo })

  const person = await enrolNewPerson(owner)
  const [byCode, byBackupCode, pending] = [new Visitor(url), new Visitor(url), new Visitor(url)]
  for (const visitor of [byCode, byBackupCode, pending]) await passwordLogin(visitor, person)
  const [right, wrong] = [person.authenticator.next(), await wrongOathtoolCode(person.secret)]
  const given = [
    await pending.postJson(CHALLENGE, { code: wrong }),
    await byCode.postJson(CHALLENGE, { code: right }),
    await byBackupCode.postJson(CHALLENGE, { code: person.backupCodes[0] }),
  ]
  expect(given.map(({ status }) => status)).to.deep.equal([401, 200, 200])

  const visitors = [newcomer, beginner, owner, byCode, byBackupCode, pending]
  const usable: Named[] = [
    ...secretsNamed('secret', person.secret),
    ...secretsNamed('secret of a set-up', begun),
    ...person.backupCodes.flatMap((code) => backupCodeNamed(code)),
    ...[...persons, person].map(({ password }) => ['password', Buffer.from(password)] as const),
    ...visitors.map((visitor) => ['signature of a cookie', signatureOf(visitor)] as const),
  ]
  const now = person.authenticator.code()
  return { usable, codes: [right, wrong, typo, now, person.authenticator.next()] }
}

/** Leaves browsers at each page that shows codes once, and can be loaded again. */
async function lookAtNewCodes(url: string): Promise<{ usable: Named[]; codes: string[] }> {
  const [newcomer, owner] = [new Visitor(url), new Visitor(url)]
  await newcomer.postJson('/register', newPerson())
  const { secret = '' } = (await newcomer.getJson('/second-step/setup')).body
  const first = virtualAuthenticator(secret).next()
  const person = await enrolNewPerson(owner)
  const next = person.authenticator.next()
  const { user } = (await owner.getJson('/account')).body
  const admin = await enrolledAdmin(url)
  const ofUser = `/admin/second-step/users/${user?.id}`
  const pages = [
    await newcomer.postForm('/second-step/setup', { code: first }),
    await admin.postForm(`${ofUser}/one-time-code`),
    await admin.postForm(`${ofUser}/backup-codes`),
    await owner.postForm('/second-step/backup-codes', { code: next }),
  ]
  const shown = pages.map(({ text }) =>
    [...text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code),
  )
  expect(shown.map(({ length }) => length)).to.deep.equal([10, 1, 10, 10])
  return { usable: shown.flat().flatMap((code) => backupCodeNamed(code)), codes: [first, next] }
}

function secretsNamed(what: string, base32: string): readonly Named[] {
  expect(base32).to.match(/^[A-Z2-7]{32}$/)
  return [
    [what, bytesOfBase32(base32)] as const,
    [`${what}, as text`, Buffer.from(base32)] as const,
  ]
}

function backupCodeNamed(code: string): readonly Named[] {
  expect(code).to.match(/^(\w{6}-){3}\w{6}$/)
  const plain = code.replaceAll('-', '')
  return [code, plain].map((text) => [`backup code ${text}`, Buffer.from(text)] as const)
}

/** The session's id is in Redis; without the signature beside it nobody has the cookie. */
function signatureOf(visitor: Visitor): Buffer {
  const [, signature = ''] =
    /^s:.+\.(.+)$/.exec(decodeURIComponent(visitor.cookie('sid') ?? '')) ?? []
  expect(signature).to.have.length.above(40)
  return Buffer.from(signature)
}

function keysOf(secrets: Environment): readonly Named[] {
  return Object.entries(secrets).flatMap(([name, text]) => [
    [name, Buffer.from(text, 'base64')] as const,
    [`${name}, as text`, Buffer.from(text)] as const,
  ])
}

/** Every key of a Redis, with what it holds. */
async function copyOf(redis: RedisClient): Promise<Buffer> {
  const parts: Buffer[] = []
  for (const master of await mastersOf(redis)) {
    for await (const keys of master.scanBufferStream({ count: 1000 })) {
      for (const key of keys as Buffer[]) parts.push(key, ...(await valuesOf(redis, key)))
    }
  }
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]))
}

/** Not by DUMP, which compresses. */
async function valuesOf(redis: RedisClient, key: Buffer): Promise<readonly Buffer[]> {
  const type = await redis.type(key)
  if (type === 'string') return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)]
  if (type === 'list') return redis.lrangeBuffer(key, 0, -1)
  if (type === 'set') return redis.smembersBuffer(key)
  if (type === 'zset') return redis.zrangeBuffer(key, 0, -1)
  if (type === 'hash') return [...(await redis.hkeysBuffer(key)), ...(await redis.hvalsBuffer(key))]
  if (type === 'stream') {
    const entries = await redis.xrangeBuffer(key, '-', '+')
    return entries.flatMap(([id, fields]) => [id, ...fields])
  }
  throw new Error(`no way to read a key of type ${type}`)
}
