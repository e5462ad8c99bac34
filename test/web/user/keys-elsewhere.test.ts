// The attacks: a user whose only key can't be asked any more, because the app has another domain, counts as somebody
// without a second step; the host's own page takes a signature that the package's refuses.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { giveCode } from '../../support/browser.js'
import { type Host, makeHost } from '../../support/host.js'
import {
  answerWith,
  askedAt,
  CHALLENGE,
  hostWithKeys,
  pendingOf,
  postAnswer,
  SETUP,
  setUpKey,
} from '../../support/keys.js'

describe('security keys of an app that has another domain now', () => {
  type Shared = { readonly store: RecordStore; readonly keys: readonly string[] }
  interface Moved {
    readonly hostWith: (shared: Shared) => Host
    readonly refusal: readonly [code: string, status: number]
  }
  const MOVED: Readonly<Record<string, Moved>> = {
    'of another domain': {
      hostWith: (shared: Shared) =>
        hostWithKeys({ options: { ...shared, origin: 'https://other.example' } }),
      refusal: ['wrong-code', 401],
    },
    'without the option': {
      hostWith: (shared: Shared) => makeHost({ options: shared }),
      refusal: ['switched-off', 409],
    },
  }
  for (const [name, { hostWith, refusal }] of Object.entries(MOVED)) {
    it(`are not asked ${name}, and their user is no user without a second step`, async () => {
      const shared = { store: memoryStore(), keys: [randomBytes(32).toString('base64')] }
      const { key, backupCodes } = await setUpKey(hostWithKeys({ options: shared }))
      const moved = hostWith(shared)
      const browser = await pendingOf(moved)
      expect((await browser.get('/inside')).status).to.equal(401)
      expectProblem(await getJson(browser, `${SETUP}?type=totp`), 'code-required', 401)
      const asked = await getJson(browser, CHALLENGE).expect(200)
      expect(asked.body).to.deep.include({ webauthn: null, methods: ['backup-code'] })
      const refused = await postAnswer(
        browser,
        key.sign({ challenge: 'AAAA', rpId: 'acme.example' }),
      )
      expectProblem(refused, ...refusal)
      await giveCode(browser, backupCodes[0]).expect(200)
    })
  }
})

describe("a security key on the host's own page", () => {
  const host = () =>
    hostWithKeys({
      routes: ({ app, passport, secondStep }) => {
        passport.use(secondStep.strategy())
        app.post('/login/code', (req, res, next) => {
          passport.authenticate('second-step', (error: unknown, user: unknown, info: unknown) => {
            if (error) return next(error)
            if (!user) return res.status(401).json(info)
            return req.logIn(user as Express.User, () => res.json({ done: true }))
          })(req, res, next)
        })
      },
    })

  it('signs in by the strategy, once', async () => {
    const app = host()
    const { key } = await setUpKey(app)
    const browser = await pendingOf(app)
    const credential = key.sign(await askedAt(browser))
    await postJson(browser, '/login/code', { credential }).expect(200)
    expect((await browser.get('/inside')).body).to.deep.equal({ user: 'ann', status: 'verified' })
    const again = await pendingOf(app)
    await askedAt(again)
    const refused = await postJson(again, '/login/code', { credential })
    expect([refused.status, refused.body.code]).to.deep.equal([401, 'wrong-code'])
    expect((await answerWith(again, key)).status).to.equal(200)
  })

  it('is malformed there as elsewhere', async () => {
    const app = host()
    await setUpKey(app)
    const refused = await postJson(await pendingOf(app), '/login/code', { credential: 'none' })
    expect(refused.body).to.include({ code: 'malformed-request', field: 'credential' })
  })
})
