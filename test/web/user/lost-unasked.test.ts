// The mistake: who lost the phone is asked for no code in a trusted browser, or after a sign-in at a provider, so they never
// get to the page that offers a reset by mail; and a link from elsewhere says for ever to sign in first.

import { expect } from 'chai'
import type { SecondStepOptions } from '../../../lib/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { type Host, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { hasLink, linkIn, lostHost, member } from '../../support/lost.js'
import { believesProvider, mountProvider, PROVIDER } from '../../support/provider.js'
import { pendingBrowser } from '../../support/visits.js'

const LOST = '/second-step/lost'
const FRESH = '/second-step/fresh'
const CHALLENGE = '/second-step/challenge'
const EMAIL = { email: member.email }

async function lostPhone(
  more: Partial<HostOptions> = {},
  upstream: SecondStepOptions<HostUser>['upstream'] = believesProvider,
) {
  const { options, mails, idle } = lostHost({
    trustedBrowsers: { days: 14 },
    upstream,
    lost: { delay: '0' },
  })
  const host = makeHost({
    ...options,
    ...more,
    beforeGuard: (parts) => {
      options.beforeGuard?.(parts)
      more.beforeGuard?.(parts)
    },
    routes: (parts) => mountProvider(parts, [member]),
  })
  const { code } = await enrol(host, member)
  host.system.advance(MINUTE)
  const trusted = await pendingBrowser(host, member)
  await postJson(trusted, CHALLENGE, { code: code(), trust: '1' }).expect(200)
  host.system.advance(10 * MINUTE)
  await postJson(trusted, '/logout').expect(200)
  const link = async () => {
    await idle(host)
    return linkIn(mails.findLast(hasLink))
  }
  return { host, trusted, link, code }
}

/** What stands for the code at a login. */
const WAYS: Record<string, (browser: Browser, host: Host) => Promise<unknown>> = {
  'in a trusted browser': (browser) => passFirstStep(browser, member),
  'after a provider': (browser, host) => {
    const authTime = Math.floor(host.system.now() / 1000)
    const claims = { issuer: PROVIDER, amr: ['mfa'], authTime }
    return postJson(browser, '/login/provider', { user: member.id, claims }).expect(200)
  },
}

for (const [where, signInThere] of Object.entries(WAYS)) {
  describe(`a lost phone, ${where}`, () => {
    const signedIn = async () => {
      const lost = await lostPhone()
      const browser = where === 'after a provider' ? browserOf(lost.host) : lost.trusted
      await signInThere(browser, lost.host)
      await getJson(browser, '/inside').expect(200)
      return { ...lost, browser }
    }

    it('leads from the page for a fresh code to a reset by mail, in this browser', async () => {
      const { browser, link } = await signedIn()
      expect((await getPage(browser, FRESH).expect(200)).text).to.include(`href="${LOST}"`)
      expect((await getPage(browser, LOST).expect(200)).text).to.include(`href="${FRESH}"`)
      await getJson(browser, '/inside').expect(200)
      const { headers } = await postForm(browser, LOST, EMAIL).expect(303)
      expect(headers.location).to.equal(`${LOST}?sent=1`)
      await getJson(browser, '/inside').expect(401)
      await postJson(browser, await link()).expect(200, {
        status: 'reset',
        next: '/second-step/setup',
      })
    })

    it('is asked for the code at the next login while a link is open, where the link then works', async () => {
      const { host, browser, link } = await signedIn()
      const elsewhere = await pendingBrowser(host, member)
      await postJson(elsewhere, LOST, EMAIL).expect(202)
      const mailed = await link()
      expectProblem(await postJson(browser, mailed), 'not-signed-in', 401)
      await postJson(browser, '/logout').expect(200)
      await signInThere(browser, host)
      await getJson(browser, '/inside').expect(401)
      await postJson(browser, mailed).expect(200)
    })

    it('loses no session by an address that is none', async () => {
      const { browser } = await signedIn()
      expectProblem(await postJson(browser, LOST, { email: 'ann' }), 'malformed-request', 400)
      await getJson(browser, '/inside').expect(200)
    })
  })
}

// The mistake: the first step is passed again before the mail is made, and ends the login that has asked for it.
describe('a lost phone, where "remember me" signs in at every request', () => {
  const remember: HostOptions['mountFirst'] = ({ app }) => {
    app.use((req, _res, next) => {
      if (req.isAuthenticated() || req.get('x-remembered') === undefined) next()
      else req.logIn(member, (error) => next(error))
    })
  }
  const satisfiedBy = ({ headers }: { headers: Record<string, unknown> }) => {
    const authTime = Number(headers['x-signed-in-at'])
    return authTime > 0 ? { issuer: PROVIDER, amr: ['mfa'], authTime } : null
  }

  const getsTheMail = async (browser: Browser, link: () => Promise<string>) => {
    browser.set('X-Remembered', 'ann')
    await getJson(browser, '/inside').expect(200)
    await postJson(browser, LOST, EMAIL).expect(202)
    expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
    await postJson(browser, await link()).expect(200)
  }

  for (const where of ['beforeGuard', 'mountFirst'] as const) {
    it(`gets the mail all the same, in a trusted browser: ${where}`, async () => {
      const { trusted, link } = await lostPhone({ [where]: remember })
      await getsTheMail(trusted, link)
    })
  }

  it('gets the mail all the same, after a provider', async () => {
    const upstream = { ...believesProvider, satisfiedBy }
    const { host, link } = await lostPhone({ mountFirst: remember }, upstream)
    const signedInAt = `${Math.floor(host.system.now() / 1000)}`
    await getsTheMail(browserOf(host).set('X-Signed-In-At', signedInAt), link)
  })
})

describe('a session that a code has opened', () => {
  it('finds the reset at the next login, where it is asked', async () => {
    const { host, code } = await lostPhone()
    const browser = await pendingBrowser(host, member)
    await giveCode(browser, code()).expect(200)
    expectProblem(await getJson(browser, LOST), 'already-signed-in', 409, '/')
    expectProblem(await postJson(browser, LOST, EMAIL), 'already-signed-in', 409, '/')
    expect((await getPage(browser, FRESH).expect(200)).text).not.to.include(LOST)
  })
})
