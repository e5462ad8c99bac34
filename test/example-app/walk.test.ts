import { expect } from 'chai'
import {
  type Environment,
  type ExampleApp,
  newPerson,
  passwordLogin,
  redisForTests,
  startExampleApp,
} from '../support/example-app.js'
import { oathtoolCode, wrongOathtoolCode } from '../support/oathtool.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { Visitor } from '../support/visitor.js'

const CLIENTS = ['ioredis', 'node-redis'] as const
const CHALLENGE = '/second-step/challenge'
const SETUP = '/second-step/setup'

describe('A new user of the example app', function () {
  this.timeout(60_000)

  describe('with everything embedded', () => walks(async () => ({ env: {}, stop: async () => {} })))

  describe('with Redis', () => {
    for (const REDIS_CLIENT of CLIENTS) {
      describe(`by ${REDIS_CLIENT}`, () =>
        walks(async () => {
          const redis = await redisForTests()
          return { env: { REDIS_URL: redis.url, REDIS_CLIENT }, stop: redis.stop }
        }))
    }
  })

  describe('with a Redis Cluster', () => {
    let cluster: RedisCluster
    before(async () => {
      cluster = await startRedisCluster()
    })
    after(() => cluster?.stop())

    for (const REDIS_CLIENT of CLIENTS) {
      describe(`by ${REDIS_CLIENT}`, () =>
        walks(async () => {
          const REDIS_URL = cluster.servers.map(({ url }) => url).join(',')
          return { env: { REDIS_URL, REDIS_CLIENT }, stop: async () => {} }
        }))
    }
  })
})

function walks(surroundings: () => Promise<{ env: Environment; stop(): Promise<void> }>): void {
  let app: ExampleApp
  let stop: () => Promise<void>

  before(async () => {
    const started = await surroundings()
    stop = started.stop
    app = await startExampleApp(started.env)
  })

  after(async () => {
    await app?.stop()
    await stop?.()
  })

  it('walks from registration to a backup code, over JSON', () => walkOverJson(app.url))
  it('walks from registration to a backup code, over forms', () => walkOverForms(app.url))
}

async function walkOverJson(url: string): Promise<void> {
  const [visitor, person] = [new Visitor(url), newPerson()]
  const signOut = async () => {
    expect((await visitor.postJson('/logout')).body).to.deep.equal({ status: 'signed-out' })
    expect((await visitor.getJson('/account')).status).to.equal(401)
  }
  const beginLogin = async () => {
    const begun = await passwordLogin(visitor, person)
    expect(begun.status).to.equal(200)
    expect(begun.body).to.deep.equal({ status: 'code-required', next: CHALLENGE })
  }
  const give = (code: string) => visitor.postJson(CHALLENGE, { code })

  const registered = await visitor.postJson('/register', person)
  expect([registered.status, registered.body]).to.deep.equal([201, { status: 'signed-in' }])
  await signOut()
  expect((await passwordLogin(visitor, person)).body).to.deep.equal({ status: 'signed-in' })

  const { secret = '' } = (await visitor.getJson(SETUP)).body
  const confirmed = await visitor.postJson(SETUP, { code: await oathtoolCode(secret) })
  expect(confirmed.body).to.include({ status: 'enrolled', next: '/account' })
  const [backupCode = '', ...otherCodes] = confirmed.body.backupCodes ?? []
  expect(otherCodes).to.have.length(9)
  await signOut()

  await beginLogin()
  const refused = await visitor.getJson('/account')
  expect([refused.status, refused.body.user]).to.deep.equal([401, undefined])
  expect((await give(await wrongOathtoolCode(secret))).body.code).to.equal('wrong-code')
  // The code of the set-up is burned; the server accepts the next one ahead of its time.
  const code = await oathtoolCode(secret, 1)
  expect((await give(code)).body).to.include({ status: 'signed-in', method: 'totp' })
  const account = await visitor.getJson('/account')
  expect(account.body.user).to.include({ email: person.email, name: person.name })
  expect((await visitor.postJson('/transfer')).body).to.deep.equal({ status: 'done' })
  await signOut()

  await beginLogin()
  expect((await give(code)).body.code).to.equal('wrong-code')
  expect((await give(backupCode)).body).to.include({ method: 'backup-code', backupCodesLeft: 9 })
  expect((await visitor.getJson('/account')).status).to.equal(200)
  await signOut()

  await beginLogin()
  expect((await give(backupCode)).body.code).to.equal('wrong-code')
  expect((await visitor.getJson('/account')).status).to.equal(401)
}

async function walkOverForms(url: string): Promise<void> {
  const [visitor, person] = [new Visitor(url), newPerson()]
  const leadsTo = async (sent: Promise<{ status: number; headers: object }>, path: string) =>
    expect(await sent)
      .to.deep.include({ status: 303 })
      .and.have.nested.property('headers.location', path)
  const shows = async (status: number, text: string, path: string) => {
    const page = await visitor.getPage(path)
    expect(page.status).to.equal(status)
    expect(page.text).to.contain(text)
    return page.text
  }
  const signOut = () => leadsTo(visitor.postForm('/logout'), '/')
  const logIn = () =>
    visitor.postForm('/login', { username: person.email, password: person.password })
  const give = (code: string) => visitor.postForm(CHALLENGE, { code })

  await shows(200, 'action="/register"', '/register')
  await leadsTo(visitor.postForm('/register', { ...person }), '/account')
  await shows(200, person.email, '/account')
  await signOut()
  await leadsTo(visitor.getPage('/account?from=bookmark'), '/login')
  await shows(200, 'action="/login"', '/login')
  await leadsTo(logIn(), '/account?from=bookmark')

  await shows(200, `href="${SETUP}"`, '/second-step')
  const secret = keyOn(await shows(200, '<svg', SETUP))
  const confirmed = await visitor.postForm(SETUP, { code: await oathtoolCode(secret) })
  const [backupCode = '', ...otherCodes] = backupCodesOn(confirmed.text)
  expect(otherCodes).to.have.length(9)
  await leadsTo(
    visitor.postForm('/second-step/backup-codes/saved', { saved: '1' }),
    '/second-step/',
  )
  await signOut()

  await leadsTo(visitor.getPage('/account?from=bookmark'), '/login')
  await leadsTo(logIn(), CHALLENGE)
  await shows(200, 'autocomplete="one-time-code"', CHALLENGE)
  const wrong = await give(await wrongOathtoolCode(secret))
  expect(wrong.status).to.equal(401)
  expect(wrong.text).to.contain('autocomplete="one-time-code"').and.contain('role="alert"')
  const code = await oathtoolCode(secret, 1)
  await leadsTo(give(code), '/account?from=bookmark')
  await shows(200, person.email, '/account')
  await leadsTo(visitor.postForm('/transfer'), '/account?done=transfer')
  await signOut()

  await leadsTo(logIn(), CHALLENGE)
  await leadsTo(visitor.getPage('/account'), CHALLENGE)
  expect((await give(code)).status).to.equal(401)
  await leadsTo(give(backupCode), '/second-step/')
  await shows(200, person.email, '/account')
  await signOut()

  await leadsTo(logIn(), CHALLENGE)
  expect((await give(backupCode)).status).to.equal(401)
  await leadsTo(visitor.getPage('/account'), CHALLENGE)
}

function keyOn(page: string): string {
  const [, key = ''] = /<code class="key"[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page) ?? []
  return key.replaceAll(' ', '')
}

function backupCodesOn(page: string): readonly string[] {
  return [...page.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code)
}
