import { expect } from 'chai'
import {
  type ExampleApp,
  newPerson,
  passwordLogin,
  redisForTests,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { Visitor } from '../support/visitor.js'

const bad: readonly (readonly [string, Record<string, unknown>])[] = [
  ['a missing field', { password: undefined }],
  ['an empty field', { password: '' }],
  ['a list', { password: ['one-password', 'another-password'] }],
  ['an object', { email: { $ne: null }, username: { $ne: null } }],
  ['a number', { email: 1, username: 1 }],
  ['an endless field', { email: `${'a'.repeat(5000)}@example.test`, username: 'a'.repeat(5000) }],
]

describe('Accounts of the example app', function () {
  this.timeout(60_000)
  let apps: readonly ExampleApp[] = []
  let redis: Awaited<ReturnType<typeof redisForTests>>

  before(async () => {
    redis = await redisForTests()
    const env = { REDIS_URL: redis.url, ...sharedSecrets() }
    apps = await Promise.all([startExampleApp(env), startExampleApp(env)])
  })

  after(async () => {
    await Promise.all(apps.map((app) => app.stop()))
    await redis?.stop()
  })

  const urlOf = (index: number) => apps[index % apps.length]?.url ?? ''

  it('are one for each address, however it is written and however many register at once', async () => {
    const { email, ...person } = newPerson()
    const spellings = [email, email.toUpperCase(), ` ${email}`, email.replace('@', '＠')]
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        new Visitor(urlOf(index)).postJson('/register', {
          ...person,
          email: spellings[index % spellings.length],
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).to.have.length(1)
    expect(answers.filter(({ status }) => status === 409)).to.have.length(11)
    for (const spelling of spellings.slice(0, 2)) {
      const visitor = new Visitor(urlOf(0))
      expect((await passwordLogin(visitor, { ...person, email: spelling })).status).to.equal(200)
    }
  })

  // The attack: a page of another site sends a form, and its visitor types into an account of the attacker's.
  it('are not made, opened or left by a form of another site', async () => {
    const foreign: Readonly<Record<string, string>>[] = [
      { Origin: 'https://evil.test' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]
    for (const headers of foreign) {
      const [victim, person] = [new Visitor(urlOf(0), headers), newPerson()]
      for (const path of ['/register', '/login', '/logout', '/transfer']) {
        const answer = await victim.postJson(path, { ...person, username: person.email })
        expect([answer.status, answer.body.code], path).to.deep.equal([403, 'cross-origin'])
        expect(answer.headers['set-cookie'], path).to.equal(undefined)
      }
      const own = new Visitor(urlOf(0), {
        Origin: 'https://evil.test',
        'Sec-Fetch-Site': 'same-origin',
      })
      expect((await own.postJson('/register', person)).status).to.equal(201)
    }
  })

  it('are signed in at every process that shares Redis and secrets', async () => {
    const visitor = new Visitor(urlOf(0))
    await visitor.postJson('/register', newPerson())
    expect((await visitor.at(urlOf(1)).getJson('/account')).status).to.equal(200)
  })

  it('are not opened by a wrong password, nor told apart from those that do not exist', async () => {
    const [visitor, person] = [new Visitor(urlOf(0)), newPerson()]
    await visitor.postJson('/register', person)
    const stranger = new Visitor(urlOf(0))
    const wrong = await passwordLogin(stranger, { ...person, password: 'wrong-password' })
    const unknown = await passwordLogin(stranger, newPerson())
    expect([wrong.status, wrong.body.code]).to.deep.equal([401, 'invalid-credentials'])
    expect([unknown.status, unknown.text]).to.deep.equal([wrong.status, wrong.text])
    expect((await stranger.getJson('/account')).status).to.equal(401)
  })

  it('are shown as text, whatever their name is', async () => {
    const visitor = new Visitor(urlOf(0))
    await visitor.postJson('/register', { ...newPerson(), name: '<script>alert(1)</script>' })
    const { text } = await visitor.getPage('/account')
    expect(text).to.contain('&lt;script&gt;').and.not.contain('<script>alert')
  })

  for (const [what, fields] of bad) {
    it(`are neither made nor opened by ${what}`, async () => {
      const visitor = new Visitor(urlOf(0))
      const person = newPerson()
      const given = { ...person, username: person.email, ...fields }
      for (const path of ['/register', '/login']) {
        const { status, body } = await visitor.postJson(path, given)
        expect([path, status, body.code]).to.deep.equal([path, 400, 'malformed-request'])
      }
    })
  }
})
