// The attack: somebody who knows the password waits for the database to fail, or makes it fail,
// between the password and the code, and hopes that the app goes on without what it cannot ask, or
// takes a lost table for "no second step".

import { expect } from 'chai'
import type { DatabaseServer } from '../support/database-process.js'
import { MARIADB, ownServer, POSTGRESQL, type TestDatabase } from '../support/databases.js'
import {
  type EnrolledPerson,
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  redisForTests,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { type Answer, Visitor } from '../support/visitor.js'

const CHALLENGE = '/second-step/challenge'
const IN_TIME = 2000

for (const kind of [POSTGRESQL, MARIADB]) {
  describe(`A failure of ${kind.name} is a refusal`, function () {
    this.timeout(60_000)
    let redis: Awaited<ReturnType<typeof redisForTests>>
    let server: DatabaseServer
    let database: TestDatabase
    let app: ExampleApp
    let person: EnrolledPerson
    let pending: Visitor
    let signedIn: Visitor

    before(async () => {
      redis = await redisForTests()
      const own = await ownServer(kind)
      server = own.server
      database = own.database
      const places = { REDIS_URL: redis.url, DATABASE_URL: database.url }
      app = await startExampleApp({ ...places, ...sharedSecrets() })
    })
    beforeEach(async () => {
      signedIn = new Visitor(app.url)
      person = await enrolNewPerson(signedIn)
      pending = new Visitor(app.url)
      await passwordLogin(pending, person)
    })
    after(async () => {
      await app?.stop()
      await database?.stop()
      await redis?.stop()
    })

    /** Nobody is let in, and nobody waits. */
    async function expectRefusals(): Promise<void> {
      const code = person.authenticator.code(Date.now() + 30_000)
      await refused(() => pending.postJson(CHALLENGE, { code }))
      await refused(() => pending.postJson(CHALLENGE, { code: person.backupCodes[0] ?? '' }))
      await refused(() => pending.postForm(CHALLENGE, { code: person.backupCodes[0] ?? '' }))
      await refused(() => passwordLogin(new Visitor(app.url), person))
      await refused(() => signedIn.getJson('/account'))
      await refused(() => signedIn.getPage('/account'))
      expect(app.alive).to.equal(true)
    }

    /** Without a restart of the app. What was refused was not looked at: it is still good. */
    async function expectToGoOn(): Promise<void> {
      expect((await signedIn.getJson('/account')).status).to.equal(200)
      expect((await pending.getJson('/account')).status).to.equal(401)
      const code = person.authenticator.code(Date.now() + 30_000)
      expect((await pending.postJson(CHALLENGE, { code })).status).to.equal(200)
      expect((await pending.getJson('/account')).status).to.equal(200)
      const another = new Visitor(app.url)
      await passwordLogin(another, person)
      const [backupCode = ''] = person.backupCodes
      expect((await another.postJson(CHALLENGE, { code: backupCode })).status).to.equal(200)
    }

    it('when it is killed between password and code, until it is back', async () => {
      await server.kill()
      await expectRefusals()
      await refused(() => new Visitor(app.url).postJson('/register', { ...newPerson() }))
      await server.restart()
      await expectToGoOn()
    })

    it('when it hangs between password and code, until it goes on', async () => {
      server.pause()
      await expectRefusals()
      server.resume()
      await expectToGoOn()
    })

    for (const table of ['second_step_records', 'second_step_policy']) {
      it(`when somebody drops the table ${table}, until it is restored`, async () => {
        const db = database.connect()
        await db.schema.renameTable(table, 'elsewhere')
        await expectRefusals()
        await db.schema.renameTable('elsewhere', table)
        await expectToGoOn()
      })
    }

    // A code that opens the door while nobody takes note of it is what an intruder would like.
    it('when the audit log cannot be written: nobody gets in unseen', async () => {
      const db = database.connect()
      await db.schema.renameTable('second_step_events', 'elsewhere')
      const [first = '', second = ''] = person.backupCodes
      await refused(() => pending.postJson(CHALLENGE, { code: first }))
      expect((await pending.getJson('/account')).status).to.equal(401)
      await db.schema.renameTable('elsewhere', 'second_step_events')
      if (kind === POSTGRESQL) {
        // The code is used up by the very write that takes note of it: neither took place.
        expect((await pending.postJson(CHALLENGE, { code: first })).status).to.equal(200)
      } else {
        // The write that used the code up has ended its pending login too.
        const again = await pending.postJson(CHALLENGE, { code: second })
        expect(again.body.code).to.equal('sign-in-again')
      }
      const another = new Visitor(app.url)
      await passwordLogin(another, person)
      expect((await another.postJson(CHALLENGE, { code: first })).body.code).to.equal('wrong-code')
      expect((await another.postJson(CHALLENGE, { code: second })).status).to.equal(200)
      const settings = await another.getJson('/second-step/')
      expect(settings.text).to.contain('"method":"backup-code"')
    })
  })
}

async function refused(ask: () => Promise<Answer>): Promise<void> {
  const began = performance.now()
  const { status, headers } = await ask()
  expect(performance.now() - began).to.be.below(IN_TIME)
  expect(status).to.equal(503)
  expect(headers).not.to.have.property('set-cookie')
}
