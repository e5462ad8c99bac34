// The attack: somebody who knows the password waits for Redis to fail, or makes it fail, between the
// password and the code, and hopes that the app goes on without what it cannot ask, or takes a lost
// record for "no second step".

import { expect } from 'chai'
import {
  type EnrolledPerson,
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import {
  connectToRedis,
  keysIn,
  mastersOf,
  type RedisClient,
  startRedis,
  type TestRedis,
} from '../support/redis.js'
import { type Answer, Visitor } from '../support/visitor.js'

const CHALLENGE = '/second-step/challenge'
const IN_TIME = 2000
// So that it comes back with its data, as a database does.
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always']

/** The two faces of the same request. */
const faces: readonly { name: string; post: (by: Visitor, path: string, body: Body) => Asked }[] = [
  { name: 'JSON', post: (visitor, path, body) => visitor.postJson(path, body) },
  { name: 'forms', post: (visitor, path, body) => visitor.postForm(path, body) },
]

type Body = Record<string, string>
type Asked = Promise<Answer>

describe('A failure is a refusal', function () {
  this.timeout(60_000)
  let redis: TestRedis
  let app: ExampleApp
  let person: EnrolledPerson
  let pending: Visitor
  let signedIn: Visitor

  beforeEach(async () => {
    redis = await startRedis({ args: PERSISTENT })
    app = await startExampleApp({ REDIS_URL: redis.url, ...sharedSecrets() })
    signedIn = new Visitor(app.url)
    person = await enrolNewPerson(signedIn)
    pending = new Visitor(app.url)
    await passwordLogin(pending, person)
  })

  afterEach(async () => {
    await app?.stop()
    await redis?.stop()
  })

  for (const { name, post } of faces) {
    const login = (visitor: Visitor, { email, password }: EnrolledPerson) =>
      post(visitor, '/login', { username: email, password })

    /** Nobody is let in, and nobody waits. */
    async function expectRefusals(): Promise<void> {
      const code = person.authenticator.code(Date.now() + 30_000)
      await refused(() => post(pending, CHALLENGE, { code }))
      await refused(() => post(pending, CHALLENGE, { code: person.backupCodes[0] ?? '' }))
      await refused(() => login(new Visitor(app.url), person))
      await refused(() => post(new Visitor(app.url), '/register', { ...newPerson() }))
      await refused(() => signedIn.getJson('/account'))
      await refused(() => signedIn.getPage('/account'))
      await refused(() => post(signedIn, '/logout', {}))
      expect((await new Visitor(app.url).getPage('/')).status).to.equal(200)
    }

    /** The refused codes were not looked at: they are still good. */
    async function expectToGoOn(): Promise<void> {
      expect((await signedIn.getJson('/account')).status).to.equal(200)
      expect((await pending.getJson('/account')).status).to.equal(401)
      const code = person.authenticator.code(Date.now() + 30_000)
      expect((await post(pending, CHALLENGE, { code })).status).to.be.oneOf([200, 303])
      expect((await pending.getJson('/account')).status).to.equal(200)
      const another = new Visitor(app.url)
      await login(another, person)
      const [backupCode = ''] = person.backupCodes
      expect((await post(another, CHALLENGE, { code: backupCode })).status).to.be.oneOf([200, 303])
    }

    it(`when Redis is killed between password and code, until it is back, over ${name}`, async () => {
      const away = app.says('Redis is away')
      await redis.kill()
      await expectRefusals()
      expect(app.alive).to.equal(true)
      // The refusals can be faster than the first attempt to connect again, which notices the outage.
      await away
      const back = app.says('Redis is back.')
      await redis.restart()
      await back
      await expectToGoOn()
    })

    it(`when Redis hangs between password and code, until it is back, over ${name}`, async () => {
      const before = app.output().length
      redis.pause()
      await expectRefusals()
      expect(app.alive).to.equal(true)
      const back = app.says('Redis is back.')
      back.catch(() => undefined)
      redis.resume()
      // A client that has given a silent connection up makes another one first.
      if (app.output().slice(before).includes('Redis is away')) await back
      await expectToGoOn()
    })

    it(`when Redis was emptied while the app runs, over ${name}`, async () => {
      await withRedis(redis, async (client) => {
        const masters = await mastersOf(client)
        await Promise.all(masters.map((master) => master.flushall()))
      })
      for (let tried = 0; tried < 2; tried += 1) {
        await refused(() => login(new Visitor(app.url), person))
        await refused(() => post(new Visitor(app.url), '/register', { ...newPerson() }))
      }
      for (const visitor of [pending, signedIn]) {
        expect((await visitor.getJson('/account')).status).to.equal(401)
      }
      expect(app.alive).to.equal(true)
    })

    it(`when Redis lost the records and nothing else, over ${name}`, async () => {
      await withRedis(redis, async (client) => {
        const keys = await keysIn(client, 'second-step:{*}*')
        expect(keys).not.to.be.empty
        await Promise.all(keys.map((key) => client.del(key)))
      })
      await refused(() => login(new Visitor(app.url), person))
      await refused(() => post(pending, CHALLENGE, { code: person.backupCodes[0] ?? '' }))
      await refused(() => signedIn.getJson('/account'))
      expect(app.alive).to.equal(true)
    })

    it(`when Redis lost one record and nothing else, over ${name}`, async () => {
      await withRedis(redis, async (client) => {
        const records = await keysIn(client, 'second-step:{*}:r:*')
        expect(records).to.have.length(1)
        await Promise.all(records.map((key) => client.del(key)))
      })
      await refused(() => login(new Visitor(app.url), person))
      await refused(() => post(pending, CHALLENGE, { code: person.backupCodes[0] ?? '' }))
      await refused(() => signedIn.getJson('/account'))
      expect(app.alive).to.equal(true)
    })
  }
})

/** 503 in time, as the face has it, and no session for it. */
async function refused(ask: () => Asked): Promise<void> {
  const began = performance.now()
  const { status, headers, body, text } = await ask()
  expect(performance.now() - began).to.be.below(IN_TIME)
  expect(status).to.equal(503)
  expect(headers).to.have.property('retry-after')
  expect(headers).not.to.have.property('set-cookie')
  if (headers['content-type']?.includes('json')) expect(body.code).to.equal('unavailable')
  else expect(text).to.contain('<h1>')
}

async function withRedis(
  { url }: TestRedis,
  run: (client: RedisClient) => Promise<unknown>,
): Promise<void> {
  const client = connectToRedis(url)
  await run(client)
  client.disconnect()
}
