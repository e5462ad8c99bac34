// The attack: the app believes its company's OpenID provider. Somebody signs in there with a stolen password
// alone, or comes with a sign-in of yesterday, or from another provider that says the same.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect } from 'chai'
import type { RequestHandler } from 'express'
import * as client from 'openid-client'
import { Strategy } from 'openid-client/passport'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { movedSystem } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { type OpenIdProvider, type SignIn, startOpenIdProvider } from '../../support/openid.js'
import { Visitor } from '../../support/visitor.js'

declare module 'express-serve-static-core' {
  interface Request {
    /** Of the ID token that this request has brought. */
    idToken?: client.IDToken | undefined
  }
}

const COMPANY = '/login/company'
const STRANGER = '/login/stranger'

describe('a local OpenID provider', () => {
  let [company, stranger]: OpenIdProvider[] = []
  let host: Host
  let url: string
  const server = createServer((req, res) => host.app(req, res))

  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    company = await startOpenIdProvider([`${url}${COMPANY}`])
    stranger = await startOpenIdProvider([`${url}${STRANGER}`])
    host = await hostOf(company, stranger)
    await setUp()
  })

  after(async () => {
    server.close()
    server.closeAllConnections()
    await company?.stop()
    await stranger?.stop()
  })

  /** An app that believes the company, as docs/reference.md shows it. */
  async function hostOf(believed: OpenIdProvider, other: OpenIdProvider): Promise<Host> {
    const [first, second] = [await strategyOf(believed, COMPANY), await strategyOf(other, STRANGER)]
    return makeHost({
      system: movedSystem(Date.now()),
      options: {
        origin: url,
        upstream: {
          satisfiedBy: ({ idToken }) =>
            idToken === undefined
              ? null
              : {
                  issuer: idToken.iss,
                  amr: idToken.amr as string[] | undefined,
                  acr: idToken.acr as string | undefined,
                  authTime: idToken.auth_time,
                },
          believe: [
            { issuer: believed.issuer, amr: ['mfa', 'hwk'] },
            { issuer: believed.issuer, acr: ['phr'] },
          ],
        },
      },
      routes: ({ app, passport }) => {
        const done: RequestHandler = (req, res) => res.json({ user: req.user ?? null })
        app.get(COMPANY, passport.authenticate(first), done)
        app.get(STRANGER, passport.authenticate(second), done)
      },
    })
  }

  async function strategyOf(provider: OpenIdProvider, path: string): Promise<Strategy> {
    const { issuer, clientId, clientSecret } = provider
    const metadata = { client_secret: clientSecret, id_token_signed_response_alg: 'ES256' }
    const insecure = { execute: [client.allowInsecureRequests] }
    const config = await client.discovery(new URL(issuer), clientId, metadata, undefined, insecure)
    const callbackURL = `${url}${path}`
    const options = { config, scope: 'openid', callbackURL, passReqToCallback: true } as const
    return new Strategy(options, (req, tokens, done) => {
      req.idToken = tokens.claims()
      done(null, ann.id === req.idToken?.sub ? ann : false)
    })
  }

  async function setUp(): Promise<void> {
    const visitor = new Visitor(url)
    await visitor.postJson('/login', { username: ann.id, password: ann.password })
    const { body } = await visitor.getJson('/second-step/setup')
    const code = virtualAuthenticator(body.secret ?? '').code(host.system.now())
    expect((await visitor.postJson('/second-step/setup', { code })).status).to.equal(200)
  }

  /** Signs in at the provider, and comes back. */
  async function comeFrom(path: string, signIn: Omit<SignIn, 'accountId'>): Promise<Visitor> {
    for (const provider of [company, stranger]) {
      if (provider !== undefined) provider.signIn = { accountId: ann.id, ...signIn }
    }
    const visitor = new Visitor(url)
    let at = new URL(path, url).href
    for (let step = 0; step < 8 && !at.includes('/second-step/'); step += 1) {
      const { headers } = await visitor.getPage(at)
      if (headers.location === undefined) break
      at = new URL(headers.location, at).href
    }
    expect(at, 'came back').to.match(new RegExp(`^${url}(${path}\\?|/second-step/)`))
    return visitor
  }

  const now = () => Math.floor(host.system.now() / 1000)

  const believed: Readonly<Record<string, () => Omit<SignIn, 'accountId'>>> = {
    'the method mfa': () => ({ amr: ['pwd', 'mfa'] }),
    'a hardware key': () => ({ amr: ['hwk'] }),
    'the listed class': () => ({ amr: ['pwd'], acr: 'phr' }),
    'mfa four minutes ago': () => ({ amr: ['mfa'], ts: now() - 240 }),
  }
  for (const [name, signIn] of Object.entries(believed)) {
    it(`is believed with ${name}`, async () => {
      const visitor = await comeFrom(COMPANY, signIn())
      const inside = await visitor.getJson('/inside')
      expect(inside.body).to.deep.equal({ user: 'ann', status: 'verified' })
    })
  }

  const refused: Readonly<Record<string, () => Omit<SignIn, 'accountId'>>> = {
    'without a method': () => ({}),
    'with a password alone': () => ({ amr: ['pwd'] }),
    'with another method': () => ({ amr: ['pwd', 'sms'] }),
    'with another class': () => ({ amr: ['pwd'], acr: 'silver' }),
    'with mfa six minutes ago': () => ({ amr: ['mfa'], ts: now() - 360 }),
    'with mfa an hour to come': () => ({ amr: ['mfa'], ts: now() + 3600 }),
  }
  for (const [name, signIn] of Object.entries(refused)) {
    it(`is not believed ${name}: the code is asked for`, async () => {
      await expectAsked(await comeFrom(COMPANY, signIn()))
    })
  }

  it('is not believed where the list does not name it', async () => {
    await expectAsked(await comeFrom(STRANGER, { amr: ['pwd', 'mfa'] }))
  })

  async function expectAsked(visitor: Visitor): Promise<void> {
    expect((await visitor.getJson('/inside')).status).to.equal(401)
    expect((await visitor.getJson('/second-step/challenge')).status).to.equal(200)
  }
})
