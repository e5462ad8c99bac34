import { expect } from 'chai'
import express from 'express'
import session, { Store } from 'express-session'
import supertest from 'supertest'
import { makeHost } from '../../support/host.js'

/** The client of connect-redis: ioredis is known by what the package `redis` has not. */
const ioredis = { defineCommand: () => undefined, set: async () => 'OK' }
const nodeRedis = { set: async () => 'OK' }

/** As connect-redis 9 and 10 write. */
class NewRedisStore extends Store {
  readonly client: { set(...args: unknown[]): Promise<unknown> }
  readonly disableTTL: boolean

  constructor(client: NewRedisStore['client'], disableTTL = false) {
    super()
    this.client = client
    this.disableTTL = disableTTL
  }
  override get = (_id: string, done: (error: unknown) => void) => done(null)
  override async set(id: string, given: session.SessionData, done?: (error?: unknown) => void) {
    if (this.disableTTL) await this.client.set(id, JSON.stringify(given))
    else await this.client.set(id, JSON.stringify(given), { expiration: { type: 'EX', value: 60 } })
    done?.()
  }
  override destroy = (_id: string, done?: (error?: unknown) => void) => done?.()
}

/** As connect-redis up to 8 writes. */
class OldRedisStore extends NewRedisStore {
  override async set(id: string, given: session.SessionData, done?: (error?: unknown) => void) {
    await this.client.set(id, JSON.stringify(given), 'EX', 60)
    done?.()
  }
}

async function firstRequest(store: Store): Promise<supertest.Response> {
  const { app: inner } = makeHost()
  const app = express()
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, store }))
  app.use(inner)
  return supertest(app).get('/inside').set('Accept', 'application/json')
}

// Its first `set` fails with "ERR syntax error": nobody can sign in, and the error names neither.
describe('connect-redis 9 with ioredis', () => {
  it('is named at the first request, not at the first login', async () => {
    const { status, text } = await firstRequest(new NewRedisStore(ioredis))
    expect(status).to.equal(500)
    expect(text).to.match(/ConfigurationError.*connect-redis.*ioredis.*connect-redis@\^8\.1/)
  })

  it('is none of these: an older one, another client, no time to live', async () => {
    for (const store of [
      new OldRedisStore(ioredis),
      new NewRedisStore(nodeRedis),
      new NewRedisStore(ioredis, true),
    ]) {
      expect((await firstRequest(store)).status).to.equal(401)
    }
  })
})
