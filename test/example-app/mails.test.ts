import { expect } from 'chai'
import {
  type ExampleApp,
  enrolNewPerson,
  redisForTests,
  runToItsEnd,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { startMailServer } from '../support/mail-server.js'
import { HTML, JSON_TYPE, Visitor } from '../support/visitor.js'

interface Shown {
  readonly to: string
  readonly subject: string
  readonly at: string
}

const ON = 'Example App: Your second step is on'

/** What the mailbox has for an address, once there is as much as that. */
async function mailboxOf(url: string, address: string, count: number): Promise<readonly Shown[]> {
  for (;;) {
    const answer = await fetch(`${url}/mailbox`, { headers: { accept: JSON_TYPE } })
    expect(answer.status).to.equal(200)
    const mails = ((await answer.json()) as Shown[]).filter(({ to }) => to === address)
    if (mails.length >= count) return mails
  }
}

describe('Mails of the example app', function () {
  this.timeout(60_000)
  const apps: ExampleApp[] = []
  const start = async (env: Record<string, string> = {}) => {
    const app = await startExampleApp(env)
    apps.push(app)
    return app
  }
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.stop()))
  })

  it('are in the mailbox where there is no mail server, newest first, and on a page', async () => {
    const { url, output } = await start()
    expect(output()).to.contain('/mailbox')
    const visitor = new Visitor(url)
    const { email, authenticator } = await enrolNewPerson(visitor)
    await mailboxOf(url, email, 1)
    await visitor.postJson('/second-step/backup-codes', { code: authenticator.next() })
    const [newest, oldest] = await mailboxOf(url, email, 2)
    expect(newest).to.have.all.keys('to', 'subject', 'text', 'html', 'at')
    expect(newest?.subject).to.equal('Example App: You have new backup codes')
    expect(oldest).to.include({ to: email, subject: ON })
    expect(new Date(newest?.at ?? '').toISOString()).to.equal(newest?.at)

    const page = await fetch(`${url}/mailbox`, { headers: { accept: HTML } })
    expect(page.headers.get('content-type')).to.contain('text/html')
    expect(await page.text())
      .to.contain(ON)
      .and.contain(email)
  })

  it('are in one mailbox for all processes that share a Redis', async () => {
    const redis = await redisForTests()
    try {
      const env = { REDIS_URL: redis.url, ...sharedSecrets() }
      const [one, other] = await Promise.all([start(env), start(env)])
      const { email } = await enrolNewPerson(new Visitor(one.url))
      expect(await mailboxOf(other.url, email, 1)).to.have.length(1)
    } finally {
      await redis.stop()
    }
  })

  it('go to the mail server that SMTP_URL names, and then there is no mailbox', async () => {
    const server = await startMailServer()
    try {
      const SMTP_URL = `smtp://127.0.0.1:${server.port}`
      const { url } = await start({ SMTP_URL, MAIL_FROM: 'Shop <shop@shop.example>' })
      const visitor = new Visitor(url)
      const { email } = await enrolNewPerson(visitor)
      const [mail] = await server.received(1)
      expect(mail?.recipients).to.deep.equal([email])
      expect(mail?.from).to.deep.equal({ name: 'Shop', address: 'shop@shop.example' })
      expect((await visitor.getJson('/mailbox')).status).to.equal(404)
    } finally {
      await server.stop()
    }
  })

  it('are sent before the app ends, also those under way', async () => {
    const server = await startMailServer()
    try {
      const app = await start({ SMTP_URL: `smtp://127.0.0.1:${server.port}` })
      await enrolNewPerson(new Visitor(app.url))
      expect(await app.stop()).to.equal(0)
      expect(server.mails).to.have.length(1)
    } finally {
      await server.stop()
    }
  })

  it('refuse an address that is not one of a mail server', async () => {
    const { code, output } = await runToItsEnd({ SMTP_URL: 'mail.example:25' })
    expect(code).to.equal(1)
    expect(output).to.equal('SMTP_URL must be an address such as smtp://user:password@host:587.\n')
  })
})
