// Visitors who are refused see no cause. The operator must, or an app that was set up wrongly, or whose
// Redis is gone, is a riddle.

import { expect } from 'chai'
import { makeRedisMarker } from '../../../lib/stores/redis-checks.js'
import { redisStore } from '../../../lib/stores/redis-store.js'
import { getPage } from '../../support/answers.js'
import { browserOf, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { type ConnectedClient, clientForTests } from '../../support/redis-clients.js'
import { type RedisServer, startRedisServer } from '../../support/redis-server.js'
import { warningsDuring } from '../../support/warnings.js'

const AWAY = 'passport-second-step: the record store is not available: ECONNREFUSED'

function breakStore({ store }: Host): void {
  store.find = () => Promise.reject(new Error('ECONNREFUSED'))
}

describe('the warning of a part that is away', () => {
  it('is emitted with the 503 of errorHandler()', async () => {
    const host = makeHost()
    breakStore(host)
    const said = await warningsDuring(async () => {
      const { text } = await passFirstStep(browserOf(host), ann).expect(503)
      expect(text).to.not.include('ECONNREFUSED')
    })
    expect(said).to.deep.equal([AWAY])
  })

  it('is emitted with the 503 of a page', async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    breakStore(host)
    const said = await warningsDuring(async () => {
      const { text } = await getPage(browser, '/second-step/setup').expect(503)
      expect(text).to.not.include('ECONNREFUSED')
    })
    expect(said).to.deep.equal([AWAY])
  })

  it('is not emitted for an error of the host’s', async () => {
    const routes = ({ app }: Pick<Host, 'app'>) => {
      app.get('/broken', () => {
        throw new Error('the host’s own')
      })
    }
    const host = makeHost({ routes })
    host.app.set('env', 'test')
    const said = await warningsDuring(() => browserOf(host).get('/broken').expect(500))
    expect(said).to.deep.equal([])
  })
})

describe('the page of a problem', () => {
  it('asks the host for no form fields: there may be no session to make a CSRF token of', async () => {
    const formFields = () => {
      throw new Error('no session')
    }
    const host = makeHost({ options: { formFields } })
    await getPage(browserOf(host), '/second-step/nowhere').expect(404)
    const form = browserOf(host).post('/login').type('form').set('Accept', 'text/html')
    breakStore(host)
    const page = await form.send({ username: 'ann', password: ann.password }).expect(503)
    expect(page.type).to.equal('text/html')
  })
})

// The mistake: `() => [req.csrfToken()]`, and every form of the package fails at the app's own check, in silence.
describe('form fields that are none', () => {
  for (const answer of [['token'], 'token', { _csrf: { token: 'token' } }, { _csrf: 5 }]) {
    it(`are named with the option: ${JSON.stringify(answer)}`, async () => {
      const host = makeHost({ options: { formFields: () => answer as never } })
      host.app.set('env', 'test')
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      const { text } = await getPage(browser, '/second-step/').expect(500)
      expect(text).to.include('`formFields` must answer with texts by their names')
    })
  }
})

describe('a record store that is set up wrongly, in production', () => {
  const before = process.env.NODE_ENV
  let server: RedisServer
  let client: ConnectedClient
  beforeEach(async () => {
    server = await startRedisServer()
    client = await clientForTests(server.url)
    process.env.NODE_ENV = 'production'
  })
  afterEach(async () => {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
    client.end()
    await server.stop()
  })

  /** Waits until the store was opened, or was found to be none. */
  async function started() {
    const { redis } = client
    const store = redisStore(redis)
    let asked: Promise<unknown> = Promise.resolve()
    const { open } = store
    store.open = (environment) => {
      const opening = open?.(environment) ?? Promise.resolve()
      asked = opening.catch(() => undefined)
      return opening
    }
    const host = makeHost({ options: { store, redis } })
    await asked
    return host
  }

  it('is named at the start and at the first login, with the fix', async () => {
    const hosts: Host[] = []
    const atStart = await warningsDuring(async () => hosts.push(await started()))
    expect(atStart).to.have.length(1)
    expect(atStart[0]).to.include('npx passport-second-step init')
    for (const host of hosts) {
      host.system.advance(MINUTE)
      const browser = browserOf(host)
      const atLogin = await warningsDuring(async () => {
        const { text } = await passFirstStep(browser, ann).expect(503)
        expect(text).to.not.include('init')
      })
      expect(atLogin).to.deep.equal(atStart)
      await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    }
  })

  it('is no trouble once it was made', async () => {
    await makeRedisMarker(client.redis)
    expect(await warningsDuring(started)).to.deep.equal([])
  })
})
