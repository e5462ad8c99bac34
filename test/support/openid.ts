import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type Context, Provider } from 'oidc-provider'

/** How a user signs in at the provider. */
export interface SignIn {
  readonly accountId: string
  readonly amr?: readonly string[]
  readonly acr?: string
  /** When, in seconds. Default: now. */
  readonly ts?: number
}

/** An OpenID provider that runs, and signs in whom the test says, without asking. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The next sign-in there. */
  signIn: SignIn
  stop(): Promise<void>
}

/** @param callbacks where the provider may send users back to */
export async function startOpenIdProvider(callbacks: readonly string[]): Promise<OpenIdProvider> {
  let answer: RequestListener = (_req, res) => void res.writeHead(503).end()
  const server = createServer((req, res) => answer(req, res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const [clientId, clientSecret] = ['acme', randomBytes(16).toString('hex')]
  const provider = new Provider(issuer, {
    ...CONFIGURATION,
    clients: [
      { ...CLIENT, client_id: clientId, client_secret: clientSecret, redirect_uris: callbacks },
    ],
    cookies: { keys: [randomBytes(16).toString('hex')] },
    jwks: { keys: [signingKey()] },
  })
  const callback = provider.callback()
  const running: OpenIdProvider = {
    issuer,
    clientId,
    clientSecret,
    signIn: { accountId: '' },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  answer = (req, res) => {
    if (!req.url?.startsWith(`${INTERACTION}/`)) return callback(req, res)
    provider.interactionFinished(req, res, { login: running.signIn }).catch(() => {
      res.writeHead(500).end()
    })
  }
  return running
}

const INTERACTION = '/interaction'

const CLIENT = {
  grant_types: ['authorization_code'],
  response_types: ['code'],
  id_token_signed_response_alg: 'ES256',
}

const CONFIGURATION = {
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx: Context, { uid }: { uid: string }) => `${INTERACTION}/${uid}` },
  findAccount: (_ctx: Context, accountId: string) => ({
    accountId,
    claims: () => ({ sub: accountId }),
  }),
  // Without a page that asks for the user's consent.
  async loadExistingGrant({ oidc }: Context) {
    const { clientId } = oidc.client
    const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    return grant
  },
  ttl: {
    AccessToken: 60,
    AuthorizationCode: 60,
    Grant: 60,
    IdToken: 60,
    Interaction: 60,
    Session: 60,
  },
}

function signingKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'test' }
}
