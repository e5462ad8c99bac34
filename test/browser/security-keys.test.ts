import { randomBytes } from 'node:crypto'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { memoryStore } from '../../lib/index.js'
import { withPage } from '../support/chromium.js'
import { MINUTE } from '../support/clock.js'
import { expectGoodLook } from '../support/good-look.js'
import { ann, bob, type HostOptions, type HostUser } from '../support/host.js'
import {
  enrolledAt,
  give,
  passLogin,
  type Site,
  sent,
  startSite,
  whoIsIn,
} from '../support/site.js'
import { plugIn, type VirtualKey, type VirtualKeyOptions } from '../support/virtual-key.js'
import { recordOf } from '../support/visits.js'

const KEY_BUTTON = '[data-key]'

describe('security keys in the browser', function () {
  this.timeout(30_000)
  let site: Site
  const sites: Site[] = []
  const start = async (options: HostOptions['options'] = {}, name = 'localhost') => {
    const started = await startSite({ options: { webauthn: {}, ...options } }, name)
    sites.push(started)
    return started
  }
  beforeEach(async () => {
    site = await start()
  })
  afterEach(() => Promise.all(sites.splice(0).map((each) => each.stop())))

  describe('at the set-up', () => {
    it('are set up without an app, and backup codes come with them', () =>
      withPage({}, async (page) => {
        await plugIn(page)
        await setUpOnPages(page)
        expect(await page.locator('#codes code').count()).to.equal(10)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('are offered beside an app, and have a name', () =>
      withPage({}, async (page) => {
        await plugIn(page)
        await passLogin(page, site)
        await page.goto(site.at('/setup'))
        await sent(page, () => page.locator('a[href$="type=webauthn"]').click())
        await page.locator('#name').fill('Blue key')
        await useKey(page)
        await page.goto(site.at('/'))
        expect(await page.locator('.devices h3').allTextContents()).to.deep.equal(['Blue key'])
      }))

    it('are added in the settings by a form of their own', () =>
      withPage({}, async (page) => {
        const { code } = await enrolledAt(page, site)
        await plugIn(page)
        await page.goto(site.at('/'))
        await openAll(page)
        await give(page, code(), 'code-authenticators:webauthn')
        await useKey(page)
        expect((await recordOf(site)).authenticators.map(({ type }) => type)).to.deep.equal([
          'totp',
          'webauthn',
        ])
      }))

    it('say that they are synced, or on one device only', () =>
      withPage({}, async (page) => {
        const { key } = await withKey(page, { options: { isSynced: true } })
        await page.goto(site.at('/'))
        expect(await page.locator('.devices').textContent()).to.contain('Synced')
        await addAnother(page, key)
        await page.goto(site.at('/'))
        expect(await page.locator('.devices').textContent()).to.contain('On one device only')
      }))

    it('are not set up twice', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await beginAnother(page)
        await page.locator(KEY_BUTTON).click()
        await expectStatus(page, 'is set up here already')
        expect((await recordOf(site)).authenticators).to.have.length(1)
      }))

    it('keep the name that was typed where it is taken', () =>
      withPage({}, async (page) => {
        const key = await plugIn(page)
        await setUpOnPages(page, 'Blue key')
        await beginAnother(page)
        await key.touch(false)
        await plugIn(page)
        await page.locator('#name').fill('Blue key')
        await useKey(page)
        expect(await page.locator('#problem').textContent()).to.contain('has this name')
        expect(await page.locator('#name').inputValue()).to.equal('Blue key')
      }))

    it('are out of reach of a pending login that has to answer with one', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await challenged(page)
        const answer = await readJson(page, '/setup?type=webauthn')
        expect(answer).to.include({ code: 'code-required', status: 401 })
      }))
  })

  describe('at a login', () => {
    it('open it by the first button of the page', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await signIn(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('open it whichever of two it is', () =>
      withPage({}, async (page) => {
        const { key } = await withKey(page)
        const second = await addAnother(page, key)
        await signIn(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
        await second.touch(false)
        await key.touch(true)
        await signIn(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('stand before the code of an app, which goes on working', () =>
      withPage({}, async (page) => {
        const { code } = await enrolledAt(page, site)
        await addAnother(page, code())
        await challenged(page)
        expect(await page.locator('main form').first().locator(KEY_BUTTON).count()).to.equal(1)
        site.system.advance(MINUTE)
        await give(page, code())
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('share one box with the code of an app, and trust the browser by it', () =>
      withPage({}, async (page) => {
        site = await start({ trustedBrowsers: { days: 3 } })
        const { code } = await enrolledAt(page, site)
        await addAnother(page, code())
        for (const [way, count] of [
          [useKey, 1],
          [async (at: Page) => give(at, code()), 2],
        ] as const) {
          site.system.advance(MINUTE)
          await challenged(page)
          await page.getByRole('checkbox').check()
          await way(page)
          expect(await whoIsIn(page, site)).to.equal('ann')
          expect((await recordOf(site)).trustedBrowsers).to.have.length(count)
        }
      }))

    it('are asked anew where the page has stood open longer than a challenge lasts', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await challenged(page)
        site.system.advance(9 * MINUTE)
        await useKey(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    // The page said that the browser can't use a key, and its reload sent the wrong code a second time.
    it('say that the network is lost, and send no form again where the login is over', () =>
      withPage({}, async (page) => {
        const { code } = await enrolledAt(page, site)
        await addAnother(page, code())
        await challenged(page)
        await give(page, '000000')
        await page.context().setOffline(true)
        await page.locator(KEY_BUTTON).click()
        await expectStatus(page, 'not available just now')
        await page.context().setOffline(false)
        site.system.advance(11 * MINUTE)
        const sentAgain: string[] = []
        page.on('request', (each) => each.method() === 'POST' && sentAgain.push(each.url()))
        await sent(page, () => page.locator(KEY_BUTTON).click())
        expect(await page.locator('h1').textContent()).to.contain('Please sign in again')
        expect(sentAgain).to.deep.equal([])
      }))

    it('open it while wrong codes have locked the app', () =>
      withPage({}, async (page) => {
        const { code } = await enrolledAt(page, site)
        await addAnother(page, code())
        await lockCodes()
        await challenged(page)
        await give(page, code())
        expect(await page.locator('#problem').count()).to.equal(1)
        await useKey(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('that were removed open nothing', () =>
      withPage({}, async (page) => {
        const { key } = await withKey(page)
        const second = await addAnother(page, key)
        const [removed] = (await recordOf(site)).authenticators
        if (removed?.type !== 'webauthn') throw new Error('the first device is no key')
        await page.goto(site.at('/'))
        await openAll(page)
        await useKeyOf(page, `authenticators/${removed.id}/remove`)
        await challenged(page)
        const { webauthn } = await readJson(page, '/challenge')
        expect(webauthn.allowCredentials).to.have.length(1)
        // Both would answer; the one without the credential says that it has none.
        await second.touch(false)
        await key.touch(true)
        const allowCredentials = [{ type: 'public-key', id: removed.credentialId }]
        const credential = await signedBy(page, { ...webauthn, allowCredentials })
        expect(await posted(page, '/challenge', { credential })).to.include({ code: 'wrong-code' })
        await expectOut(page)
      }))
  })

  describe('of a session that is no longer fresh', () => {
    it('make it so', () =>
      withPage({}, async (page) => {
        await withKey(page)
        site.system.advance(6 * MINUTE)
        await page.goto(site.at('/fresh'))
        await useKey(page)
        const { freshUntil } = await readJson(page, '/fresh')
        expect(Date.parse(freshUntil)).to.be.greaterThan(site.system.now())
      }))

    for (const [action, what] of [
      ['backup-codes', 'make new backup codes'],
      ['disable', 'switch the second step off'],
      ['reset', 'reset it'],
      ['change-key', 'begin to change the key'],
    ] as const) {
      it(`${what} from the settings`, () =>
        withPage({}, async (page) => {
          await withKey(page)
          const before = await recordOf(site)
          await page.goto(site.at('/'))
          await openAll(page)
          await useKeyOf(page, action)
          const { version } = await recordOf(site)
          expect(version).to.be.greaterThan(before.version)
          expect(await page.locator('#problem').count()).to.equal(0)
        }))
    }
  })

  describe('that are attacked', () => {
    it('sign nothing for a site that passes the challenge on', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await challenged(page)
        const { webauthn } = await readJson(page, '/challenge')
        const fake = await start()
        await page.goto(`${fake.url}/login`)
        const credential = await signedBy(page, webauthn)
        expect(await posted(page, '/challenge', { credential })).to.include({ code: 'wrong-code' })
        await expectOut(page)
      }))

    it('sign for the name of the site that they are used at, and no other', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await challenged(page)
        const { webauthn } = await readJson(page, '/challenge')
        const fake = await start({}, 'fake.localhost')
        await page.goto(`${fake.url}/login`)
        const refused = await signedBy(page, { ...webauthn, rpId: 'fake.localhost' }).catch(String)
        expect(refused).to.contain('NotAllowedError')
        const elsewhere = await signedBy(page, { ...webauthn, rpId: 'acme.example' }).catch(String)
        expect(elsewhere).to.contain('SecurityError')
      }))

    it('open one login with one answer', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await challenged(page)
        const credential = await signedBy(page, (await readJson(page, '/challenge')).webauthn)
        const first = await posted(page, '/challenge', { credential })
        expect(first).to.include({ status: 'signed-in', method: 'webauthn' })
        await challenged(page)
        expect(await posted(page, '/challenge', { credential })).to.include({ code: 'wrong-code' })
      }))

    it("do not open somebody else's account", () =>
      withPage({}, (page) =>
        withPage({}, async (bobs) => {
          await withKey(page)
          await withKey(bobs, { user: bob })
          await challenged(page)
          const { webauthn } = await readJson(page, '/challenge')
          await bobs.goto(`${site.url}/login`)
          const { webauthn: ofBob } = await readJson(bobs, '/fresh')
          const credential = await signedBy(bobs, { ...ofBob, challenge: webauthn.challenge })
          expect(await posted(page, '/challenge', { credential })).to.include({
            code: 'wrong-code',
          })
          await expectOut(page)
        }),
      ))

    it('are suspended where a copy has answered, and leave the backup codes alone', () =>
      withPage({}, async (page) => {
        const { key, backupCodes } = await withKey(page)
        await signIn(page)
        await signIn(page)
        await key.replaceByCopy(1)
        await challenged(page)
        await useKey(page)
        expect(await page.locator('h1').textContent()).to.contain('Please sign in again')
        expect(await whoIsIn(page, site)).to.not.equal('ann')
        await challenged(page)
        expect(await page.locator(KEY_BUTTON).count()).to.equal(0)
        await openAll(page)
        await give(page, backupCodes[0] ?? '', 'backup-code')
        expect(await whoIsIn(page, site)).to.equal('ann')
        await page.goto(site.at('/'))
        expect(await page.locator('.devices').textContent()).to.contain('Suspended')
      }))

    it('are not suspended by a forged counter', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await signIn(page)
        await challenged(page)
        const credential = await signedBy(page, (await readJson(page, '/challenge')).webauthn)
        const data = Buffer.from(credential.response.authenticatorData, 'base64url')
        data.writeUInt32BE(1, 33)
        const response = {
          ...credential.response,
          authenticatorData: data.toString('base64url'),
        }
        const forged = await posted(page, '/challenge', { credential: { ...credential, response } })
        expect(forged).to.include({ code: 'wrong-code' })
        await useKey(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    for (const [name, how] of [
      ['signed falsely', { isBogusSignature: true }],
      ['that nobody has touched', { isBadUP: true }],
    ] as const) {
      it(`open nothing by an answer ${name}`, () =>
        withPage({}, async (page) => {
          const { key } = await withKey(page)
          await key.misbehave(how)
          await challenged(page)
          await useKey(page)
          expect(await page.locator('#problem').textContent()).to.contain('Try again')
          await expectOut(page)
        }))
    }
  })

  describe('that must know their user', () => {
    beforeEach(async () => {
      site = await start({ webauthn: { userVerification: 'required' } })
    })

    it('open a login where they do', () =>
      withPage({}, async (page) => {
        await withKey(page)
        await signIn(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('say so where they do not, and can be tried again', () =>
      withPage({}, async (page) => {
        const { key } = await withKey(page)
        await key.verifyUser(false)
        await challenged(page)
        await page.locator(KEY_BUTTON).click()
        await expectStatus(page, 'cancelled')
        await key.verifyUser(true)
        await useKey(page)
        expect(await whoIsIn(page, site)).to.equal('ann')
      }))

    it('open nothing where the answer does not say it', () =>
      withPage({}, async (page) => {
        const { key } = await withKey(page)
        await key.misbehave({ isBadUV: true })
        await challenged(page)
        await useKey(page)
        await expectOut(page)
      }))
  })

  it('of another name than today are not asked, and a backup code still works', () =>
    withPage({}, async (page) => {
      const store = memoryStore()
      const keys = [randomBytes(32).toString('base64')]
      site = await start({ store, keys })
      const { backupCodes } = await withKey(page)
      site = await start({ store, keys }, 'new.localhost')
      await page.goto(`${site.url}/login`)
      await page.locator('[name=username]').fill(ann.id)
      await page.locator('[name=password]').fill(ann.password)
      await sent(page, () => page.locator('button').click())
      expect(page.url()).to.equal(site.at('/challenge'))
      expect(await page.locator(KEY_BUTTON).count()).to.equal(0)
      await openAll(page)
      await give(page, backupCodes[0] ?? '', 'backup-code')
      expect(await whoIsIn(page, site)).to.equal('ann')
    }))

  describe('without JavaScript', () => {
    it('leave the codes of an app to the user who has both', () =>
      withPage({}, async (page) => {
        const { code } = await enrolledAt(page, site)
        await addAnother(page, code())
        await withPage({ javaScriptEnabled: false }, async (plain) => {
          await passLogin(plain, site)
          expect(await plain.locator(KEY_BUTTON).isVisible()).to.equal(false)
          expect(await plain.locator('noscript').textContent()).to.contain('JavaScript')
          site.system.advance(MINUTE)
          await give(plain, code())
          expect(await whoIsIn(plain, site)).to.equal('ann')
        })
      }))

    it('leave the backup codes to the user who has nothing else', () =>
      withPage({}, async (page) => {
        const { backupCodes } = await withKey(page)
        await withPage({ javaScriptEnabled: false }, async (plain) => {
          await passLogin(plain, site)
          expect(await plain.locator('#code').count()).to.equal(0)
          await plain.locator('details.other-way summary').click()
          await give(plain, backupCodes[0] ?? '', 'backup-code')
          expect(await whoIsIn(plain, site)).to.equal('ann')
        })
      }))
  })

  it('say what to do in a browser that knows none', () =>
    withPage({}, async (page) => {
      await withKey(page)
      await page.addInitScript(
        'Object.defineProperty(navigator, "credentials", { value: undefined })',
      )
      await challenged(page)
      await page.locator(KEY_BUTTON).click()
      await expectStatus(page, 'Try another browser')
      expect(await page.locator(KEY_BUTTON).isEnabled()).to.equal(true)
    }))

  for (const [locale, words] of [
    ['ru', 'ключ безопасности'],
    ['it', 'chiave di sicurezza'],
    ['es', 'llave de seguridad'],
    ['en', 'security key'],
  ] as const) {
    it(`have pages that are accessible and fit a phone, in ${locale}`, () =>
      withPage({ locale, bypassCSP: true }, async (page) => {
        await plugIn(page)
        await passLogin(page, site)
        await page.goto(site.at('/setup?type=webauthn'))
        await expectGoodLook(page, 'setup-key', locale === 'en')
        await useKey(page)
        await page.goto(site.at('/'))
        await openAll(page)
        await expectGoodLook(page, 'settings', locale === 'en')
        await challenged(page)
        await expectGoodLook(page, 'challenge', locale === 'en')
        expect((await page.locator(KEY_BUTTON).textContent())?.toLowerCase()).to.contain(words)
      }))
  }

  /** Signs somebody in and sets a first key up, without the pages. */
  async function withKey(
    page: Page,
    { options = {}, user = ann }: { options?: VirtualKeyOptions; user?: HostUser } = {},
  ): Promise<{ key: VirtualKey; backupCodes: readonly string[] }> {
    const key = await plugIn(page, options)
    await page.goto(`${site.url}/login`)
    await logIn(page, user)
    const { options: asked } = await readJson(page, '/setup?type=webauthn')
    const credential = await registeredBy(page, asked)
    const { backupCodes } = await posted(page, '/setup', { credential })
    return { key, backupCodes }
  }

  /** The same through the pages. */
  async function setUpOnPages(page: Page, name = ''): Promise<void> {
    await passLogin(page, site)
    await page.goto(site.at('/setup?type=webauthn'))
    await page.locator('#name').fill(name)
    await useKey(page)
  }

  /** Proves it is her on the settings page, so that the set-up is open for one more. */
  async function beginAnother(page: Page, code?: string): Promise<void> {
    await page.goto(site.at('/'))
    await openAll(page)
    if (code === undefined) await useKeyOf(page, 'authenticators')
    else await give(page, code, 'code-authenticators')
    await page.goto(site.at('/setup?type=webauthn'))
  }

  /** One more key, by a code or by the key that is there, which nobody touches any more. */
  async function addAnother(
    page: Page,
    first: VirtualKey | string,
    options: VirtualKeyOptions = {},
  ): Promise<VirtualKey> {
    await beginAnother(page, typeof first === 'string' ? first : undefined)
    if (typeof first !== 'string') await first.touch(false)
    const key = await plugIn(page, options)
    await useKey(page)
    return key
  }

  async function logIn(page: Page, user: HostUser = ann): Promise<void> {
    const headers = { accept: 'application/json' }
    const data = { username: user.id, password: user.password }
    await page.request.post(`${site.url}/login`, { headers, data })
  }

  /** Begins a new login. The page is the challenge. */
  async function challenged(page: Page): Promise<void> {
    await signOut(page)
    await passLogin(page, site)
  }

  async function expectOut(page: Page): Promise<void> {
    await page.goto(site.url)
    expect(page.url()).to.equal(site.at('/challenge'))
  }

  async function signIn(page: Page): Promise<void> {
    await challenged(page)
    await useKey(page)
  }

  /** The codes of ann's app are locked, by guesses of somebody. */
  async function lockCodes(): Promise<void> {
    const record = await recordOf(site)
    const misses = Array.from({ length: 20 }, () => site.system.now())
    const version = record.version + 1
    const locked = { ...record, attempts: { misses, consecutive: 20 }, version, writeId: 'locked' }
    await site.store.write(locked, record.version)
  }

  async function readJson(page: Page, path: string) {
    const answer = await page.request.get(site.at(path), {
      headers: { accept: 'application/json' },
    })
    return answer.json()
  }

  async function posted(page: Page, path: string, data: object) {
    const headers = { accept: 'application/json' }
    return (await page.request.post(site.at(path), { headers, data })).json()
  }
})

function signOut(page: Page): Promise<void> {
  return page.context().clearCookies()
}

/** Presses the first of the page's buttons for keys, and waits for the page that answers. */
function useKey(page: Page): Promise<void> {
  return sent(page, () => page.locator(KEY_BUTTON).first().click())
}

/** Presses the button of the form that posts there. */
function useKeyOf(page: Page, action: string): Promise<void> {
  return sent(page, () => page.locator(`form[action$="/${action}"] ${KEY_BUTTON}`).first().click())
}

async function openAll(page: Page): Promise<void> {
  await page.evaluate(
    'document.querySelectorAll("details").forEach((each) => { each.open = true })',
  )
}

async function expectStatus(page: Page, words: string): Promise<void> {
  const status = page.locator('form:has([data-key]) [role="status"]').filter({ hasText: words })
  await status.first().waitFor()
}

/** The JSON of a new key that the browser registers. */
function registeredBy(page: Page, options: object): Promise<RegistrationResponseJSON> {
  return page.evaluate(`navigator.credentials
    .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)}) })
    .then((credential) => credential.toJSON())`)
}

/** What a script of any site makes of these options, with the keys that are plugged in. */
function signedBy(page: Page, options: object): Promise<AuthenticationResponseJSON> {
  return page.evaluate(`navigator.credentials
    .get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(options)}) })
    .then((credential) => credential.toJSON())`)
}
