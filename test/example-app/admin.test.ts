import { expect } from 'chai'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { DATABASES } from '../support/databases.js'
import {
  type Environment,
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  startExampleApp,
} from '../support/example-app.js'
import { startRedisServer } from '../support/redis-server.js'
import { Visitor } from '../support/visitor.js'

const ADMIN = '/admin/second-step'
const THE_ADMIN = { email: 'admin@example.test', name: '', password: 'admin-password' }

interface Place {
  readonly env: Environment
  readonly stop: () => unknown
}

/** Where the users are kept. */
const places: Record<string, () => Promise<Place>> = {
  'in memory': async () => ({ env: {}, stop: () => undefined }),
  'in Redis': async () => {
    const redis = await startRedisServer()
    return { env: { REDIS_URL: redis.url }, stop: () => redis.stop() }
  },
  ...Object.fromEntries(
    DATABASES.map((kind) => [
      `in ${kind.name}`,
      async () => {
        const database = await kind.start()
        return { env: { DATABASE_URL: database.url }, stop: () => database.stop() }
      },
    ]),
  ),
}

interface Listed {
  readonly users: readonly { readonly id: string; readonly email: string; readonly state: string }[]
  readonly next: string | null
}

for (const [where, open] of Object.entries(places)) {
  describe(`The example app’s admin area, with users ${where}`, function () {
    this.timeout(60_000)
    let place: Place
    let app: ExampleApp
    let admin: Visitor

    before(async () => {
      place = await open()
      app = await startExampleApp(place.env)
      admin = new Visitor(app.url)
      await passwordLogin(admin, THE_ADMIN)
      const { secret = '' } = (await admin.getJson('/second-step/setup')).body
      const code = virtualAuthenticator(secret).next()
      expect((await admin.postJson('/second-step/setup', { code })).status).to.equal(200)
    })
    after(async () => {
      await app?.stop()
      await place?.stop()
    })

    const listed = async (query: string): Promise<Listed> => {
      const answer = await admin.getJson(`${ADMIN}/users?${query}`)
      expect(answer.status, answer.text).to.equal(200)
      return answer.body as unknown as Listed
    }
    const emailsIn = async (query: string): Promise<readonly string[]> => {
      const emails: string[] = []
      let cursor = ''
      do {
        const page = await listed(`${query}${cursor}`)
        emails.push(...page.users.map(({ email }) => email))
        if (page.next === null) return emails
        cursor = `&cursor=${page.next}`
      } while (emails.length < 1000)
      throw new Error('the listing has no end')
    }

    it('finds users by part of a name or an address, and pages through all', async () => {
      const odd = { ...newPerson(), name: '100%_Ñandú!' }
      await new Visitor(app.url).postJson('/register', odd)
      expect(await emailsIn('search=AN+EXAMPLE')).to.deep.equal([])
      expect(await emailsIn('search=una+US')).to.include('user@example.test')
      expect(await emailsIn('search=admin@EXAMPLE.t')).to.deep.equal(['admin@example.test'])
      expect(await emailsIn(`search=${encodeURIComponent('0%_')}`)).to.include(odd.email)
      expect(await emailsIn(`search=${encodeURIComponent('0_%')}`)).to.deep.equal([])
      const everybody = await emailsIn('limit=100')
      expect(everybody).to.include.members([odd.email, 'user@example.test', 'admin@example.test'])
      expect(await emailsIn('limit=1')).to.deep.equal(everybody)
      expect(new Set(everybody).size).to.equal(everybody.length)
      const made = Buffer.from(
        JSON.stringify({ search: '', state: null, source: 'users', cursor: 'x' }),
      ).toString('base64url')
      expect((await admin.getJson(`${ADMIN}/users?cursor=${made}`)).status).to.equal(400)
    })

    it('has an admin reset the second step of somebody', async () => {
      const visitor = new Visitor(app.url)
      const person = await enrolNewPerson(visitor)
      const { users } = await listed(`search=${encodeURIComponent(person.email)}`)
      expect(users.map(({ state }) => state)).to.deep.equal(['on'])
      const path = `${ADMIN}/users/${users[0]?.id}/reset`
      expect((await admin.postJson(path, { reason: 'lost' })).status).to.equal(200)
      expect((await visitor.getJson('/account')).status).to.equal(401)
      const login = await passwordLogin(new Visitor(app.url), person)
      expect(login.body.status).to.equal('setup-required')
    })
  })
}

describe('The example app’s admin area', function () {
  this.timeout(60_000)
  let app: ExampleApp
  before(async () => {
    app = await startExampleApp()
  })
  after(() => app?.stop())

  it('is for admins alone', async () => {
    const visitor = new Visitor(app.url)
    const anonymous = await visitor.getJson(`${ADMIN}/users`)
    expect([anonymous.status, anonymous.body.code]).to.deep.equal([401, 'not-signed-in'])
    const page = await visitor.getPage(`${ADMIN}/users`)
    expect([page.status, page.headers.location]).to.deep.equal([303, '/login'])
    await visitor.postJson('/register', newPerson())
    const user = await visitor.getJson(`${ADMIN}/users`)
    expect([user.status, user.body.code]).to.deep.equal([403, 'forbidden'])
    const admin = new Visitor(app.url)
    await passwordLogin(admin, THE_ADMIN)
    const notEnrolled = await admin.getJson(`${ADMIN}/users`)
    expect([notEnrolled.status, notEnrolled.body.code]).to.deep.equal([403, 'setup-required'])
  })

  it('is linked where admins see it', async () => {
    const admin = new Visitor(app.url)
    await passwordLogin(admin, THE_ADMIN)
    expect((await admin.getPage('/account')).text).to.include('href="/admin/second-step"')
    const user = new Visitor(app.url)
    await user.postJson('/register', newPerson())
    expect((await user.getPage('/account')).text).to.not.include('/admin/')
  })
})
