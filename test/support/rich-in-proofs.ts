import { virtualAuthenticator } from '../../lib/testing/index.js'
import { ADMIN, adminAt, listOf, PEOPLE } from './admin.js'
import { postJson } from './answers.js'
import { type Browser, browserOf, enrol, giveCode } from './browser.js'
import { SECOND } from './clock.js'
import { makeHost } from './host.js'
import { askedAt, CHALLENGE, ORIGIN, SETUP } from './keys.js'
import { hasLink, linkIn, lostHost } from './lost.js'
import { believesProvider, mountProvider, PROVIDER } from './provider.js'
import { softwareKey, type Twist } from './software-key.js'
import { pendingBrowser, recordOf, setPolicy } from './visits.js'

const ANN = `${ADMIN}/users/ann`
export const DEVICES = '/second-step/authenticators'
const BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const FOB = { type: 'hotp', secret: BASE32, serial: 'A-1', counter: 0 }
const PHISHER = 'https://acme-login.example'

/**
 * Ann has an app, backup codes, a fob, a key and a browser that is trusted, and an admin has made a one-time code.
 * Nothing binds Ann to the key yet; a role that accepts keys alone will.
 */
export async function richVisit() {
  const { options, mails, users, idle } = lostHost(
    {
      roles: ['user', 'keyholder', 'admin'],
      authenticators: ['totp', 'hotp', 'webauthn'],
      webauthn: { rpId: 'acme.example', origins: [ORIGIN] },
      trustedBrowsers: { days: 14 },
      upstream: believesProvider,
    },
    PEOPLE,
  )
  const findById = async (id: string) => users.get(id) ?? null
  const host = makeHost({
    ...options,
    options: { ...options.options, users: { findById, list: listOf(PEOPLE) } },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
    routes: (parts) => {
      const { app, passport, secondStep } = parts
      passport.use(secondStep.strategy())
      mountProvider(parts, PEOPLE)
      app.post('/own', passport.authenticate('second-step'), (_req, res) => res.json({}))
      app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({}))
    },
  })
  const [ann] = PEOPLE.filter(({ id }) => id === 'ann')
  if (ann === undefined) throw new Error('there is Ann')
  await setPolicy(host, { accepts: { keyholder: ['webauthn'] } })
  const app = await enrol(host, ann)
  const nextCode = () => {
    host.system.advance(30 * SECOND)
    return app.code()
  }
  const { browser: admin } = await adminAt(host)
  await postJson(admin, `${ANN}/token`, FOB).expect(200)
  const fob = virtualAuthenticator(`otpauth://hotp/Acme:fob?secret=${BASE32}&counter=0`)

  const owner = await pendingBrowser(host, ann)
  await giveCode(owner, nextCode()).expect(200)
  const begun = await postJson(owner, DEVICES, { code: nextCode(), type: 'webauthn' }).expect(200)
  const key = softwareKey({ origin: ORIGIN })
  const credential = key.register(begun.body.options)
  const { backupCodes } = (await postJson(owner, SETUP, { credential }).expect(200)).body

  const { code: oneTimeCode } = (await postJson(admin, `${ANN}/one-time-code`).expect(200)).body
  const trusted = await pendingBrowser(host, ann)
  await postJson(trusted, CHALLENGE, { code: nextCode(), trust: '1' }).expect(200)
  await postJson(trusted, '/logout').expect(200)
  const askForLink = async () => {
    const asking = await pendingBrowser(host, ann)
    await postJson(asking, '/second-step/lost', { email: 'ann@acme.example' }).expect(202)
    await idle(host)
    return { asking, link: linkIn(mails.filter(hasLink).at(-1)) }
  }
  // A change of the policy would end the trust of the browser. Ann's role changes instead.
  const become = (role: 'user' | 'keyholder') => users.set(ann.id, { ...ann, roles: [role] })
  const hers = { app, fob, key, backupCodes, oneTimeCode, trusted }
  return { host, ann, admin, ...hers, nextCode, askForLink, become }
}

export type Rich = Awaited<ReturnType<typeof richVisit>>

/** What a phisher gives in place of a proof by the key. `path`: where the challenge for keys is asked. */
type Proof = (visit: Rich, browser: Browser, path: string) => Promise<object>

export const TYPED: Readonly<Record<string, Proof>> = {
  "an app's code": async ({ nextCode }) => ({ code: nextCode() }),
  'a backup code': async ({ backupCodes }) => ({ code: backupCodes[0] }),
  "a fob's code": async ({ fob }) => ({ code: fob.next() }),
  "an admin's one-time code": async ({ oneTimeCode }) => ({ code: oneTimeCode }),
}

const relayed =
  (twist: Twist): Proof =>
  async ({ key }, browser, path) => ({ credential: key.sign(await askedAt(browser, path), twist) })

export const RELAYED: Readonly<Record<string, Proof>> = {
  "the key's answer on the phisher's page": relayed({ origin: PHISHER }),
  "the key's answer to the phisher's own name": relayed({
    origin: PHISHER,
    rpId: 'acme-login.example',
  }),
  "the key's answer in a frame of the phisher's page": relayed({ crossOrigin: true }),
  "the key's answer to the challenge of another login": async ({ host, key }) => {
    const other = await pendingBrowser(host)
    return { credential: key.sign(await askedAt(other)) }
  },
  "the phisher's own key": async ({ key }, browser, path) => {
    const own = softwareKey({ origin: ORIGIN })
    const twist = { signedBy: own }
    return { credential: key.sign(await askedAt(browser, path), twist) }
  },
}

export const refusal = ({ status, body }: { status: number; body: { code?: string } }) =>
  `${status} ${body.code ?? ''}`

/** What may change hands: wrong answers use up challenges, and change none of this. */
export async function possessionsOf({ host }: Rich): Promise<object> {
  const { authenticators, backupCodes, oneTimeCodes, setup, setupGrant, epoch } =
    await recordOf(host)
  const ids = authenticators.map(({ id }) => id)
  return { ids, backupCodes, oneTimeCodes, setup, setupGrant, epoch }
}

/** Comes from a sign-in provider that asked for a second step itself. */
export async function byProvider(host: Rich['host']): Promise<Browser> {
  const browser = browserOf(host)
  const authTime = Math.floor(host.system.now() / SECOND)
  const claims = { issuer: PROVIDER, amr: ['pwd', 'mfa'], authTime }
  await postJson(browser, '/login/provider', { user: 'ann', claims })
  return browser
}
