// The attack: somebody in a stolen session slows the store down while they turn the second step off. The
// answer is 503, but the statement waits in the connection and takes place, and nobody is told.

import { once } from 'node:events'
import { expect } from 'chai'
import { redisStore } from '../../lib/index.js'
import { expectProblem, postJson } from '../support/answers.js'
import { ann, type Host } from '../support/host.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { type ConnectedClient, clientForTests } from '../support/redis-clients.js'
import { recordOf, signedInVisit } from '../support/visits.js'

const TIMEOUT = 500
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

describe('a change that takes place after its refusal', () => {
  let server: TestRedis
  let client: ConnectedClient
  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    client.end()
    await server.stop()
  })

  function freezeAtNextWrite({ store }: Host): void {
    const { write } = store
    store.write = (record, expectedVersion) => {
      store.write = write
      server.pause()
      return write(record, expectedVersion)
    }
  }

  // Of ioredis; others have no such option.
  const clients = {
    'a client that waits for its answer': {},
    'a client that gives up on its answer': { commandTimeout: TIMEOUT },
  }
  for (const [name, options] of Object.entries(clients)) {
    it(`is told once to the log, the host and the user: ${name}`, async () => {
      client = await clientForTests(server.url, options)
      const { redis } = client
      const store = redisStore(redis)
      const subjects: string[] = []
      const transport = {
        sendMail: async ({ subject }: { subject: string }) => void subjects.push(subject),
      }
      const owner = { ...ann, email: 'ann@acme.example' }
      const { host, browser, enrolment } = await signedInVisit({
        users: [owner],
        options: {
          ...{ store, redis, timeout: TIMEOUT },
          users: { findById: async (id) => (id === owner.id ? owner : null) },
          mail: { from: 'Acme <login@acme.example>', transport },
        },
      })
      const { events } = host.secondStep
      const heard: unknown[] = []
      events.on('disabled', ({ user, ip, userAgent }) => heard.push({ user, ip, userAgent }))

      freezeAtNextWrite(host)
      browser.set('User-Agent', BROWSER)
      const answer = await postJson(browser, '/second-step/disable', { code: enrolment.code() })
      expectProblem(answer, 'unavailable', 503)
      expect(heard).to.deep.equal([])
      const told = once(events, 'disabled')
      server.resume()
      await told

      expect((await recordOf(host)).authenticators).to.deep.equal([])
      await host.secondStep.close()
      expect(heard).to.have.length(1)
      expect(heard[0]).to.include({ user: 'ann', userAgent: BROWSER })
      const log = await store.audit?.list({ user: 'ann', cursor: null, limit: 20 })
      const entries = log?.entries.filter(({ type }) => type === 'disabled') ?? []
      expect(entries.map(({ userAgent }) => userAgent)).to.deep.equal([BROWSER])
      expect(
        subjects.filter((subject) => subject === 'Acme: Your second step is off'),
      ).to.have.length(1)
    })
  }
})
