import { expect } from 'chai'
import { DATABASES, type TestDatabase } from '../support/databases.js'
import {
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  runToItsEnd,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { freePort } from '../support/redis-server.js'
import { Visitor } from '../support/visitor.js'

for (const kind of DATABASES) {
  describe(`The example app with DATABASE_URL, on ${kind.name}`, function () {
    this.timeout(60_000)
    const env = sharedSecrets()
    let database: TestDatabase
    let app: ExampleApp
    before(async () => {
      database = await kind.start()
      app = await startExampleApp({ ...env, DATABASE_URL: database.url })
    })
    after(async () => {
      await app?.stop()
      await database?.stop()
    })

    it('keeps users and second steps over a restart', async () => {
      const person = await enrolNewPerson(new Visitor(app.url))
      await app.stop()
      app = await startExampleApp({ ...env, DATABASE_URL: database.url })
      const visitor = new Visitor(app.url)
      expect((await passwordLogin(visitor, person)).body.status).to.equal('code-required')
      const code = person.authenticator.next()
      const answer = await visitor.postJson('/second-step/challenge', { code })
      expect(answer.body.status).to.equal('signed-in')
    })

    it('lets one of many register an address, however it is written', async () => {
      const { email, ...person } = newPerson()
      const spellings = [email, email.toUpperCase(), ` ${email} `, email]
      const answers = await Promise.all(
        spellings.map((spelling) =>
          new Visitor(app.url).postJson('/register', { ...person, email: spelling }),
        ),
      )
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1)
    })

    it('has names in any script', async () => {
      const visitor = new Visitor(app.url)
      const name = 'Zoë \u{1f511} Анна'
      await visitor.postJson('/register', { ...newPerson(), name })
      expect((await visitor.getJson('/account')).body.user?.name).to.equal(name)
    })

    it('has its demo accounts, with several processes at once too', async () => {
      const another = await startExampleApp({ ...env, DATABASE_URL: database.url })
      await another.stop()
      const credentials = { email: 'user@example.test', name: '', password: 'user-password' }
      const answer = await passwordLogin(new Visitor(app.url), credentials)
      expect(answer.body.status).to.equal('signed-in')
    })

    it('says what a restart forgets all the same', () => {
      expect(app.output())
        .to.contain('Without REDIS_URL a restart signs everybody out')
        .and.not.contain('forgets everything')
    })
  })
}

describe('The example app with a DATABASE_URL that is wrong', function () {
  this.timeout(60_000)

  it('says so in one sentence, without the password', async () => {
    const port = await freePort()
    const gone = `postgres://somebody:pass-word@127.0.0.1:${port}/app`
    const cases = [
      [gone, `The database at 127.0.0.1:${port} does not answer`],
      ['mongodb://127.0.0.1/app', 'DATABASE_URL must be an address such as'],
      ['sqlite:', 'DATABASE_URL must be an address such as'],
    ] as const
    for (const [DATABASE_URL, words] of cases) {
      const { code, output } = await runToItsEnd({ DATABASE_URL })
      expect(code).to.equal(1)
      expect(output).to.contain(words).and.not.contain('pass-word')
    }
  })
})
