// What an admin does in one browser is felt in another, at the next request.

import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { ada } from '../support/admin.js'
import { ADMIN, pressed, startAdminSite } from '../support/admin-site.js'
import type { Enrolment } from '../support/browser.js'
import { withPage } from '../support/chromium.js'
import { MINUTE, SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { enrolledAt, give, passLogin, type Site, scanned, sent, whoIsIn } from '../support/site.js'
import { wrongCodeOf } from '../support/visits.js'

const DAY = 24 * 60 * MINUTE

/** Ada and Ann in a browser each, both signed in by both steps. */
interface Desks {
  readonly site: Site
  readonly admin: Page
  readonly adas: Enrolment
  readonly user: Page
  readonly anns: Enrolment
}

describe('An admin in a browser', function () {
  this.timeout(60_000)
  let site: Site
  beforeEach(async () => {
    site = await startAdminSite()
  })
  afterEach(() => site.stop())

  async function atDesks(
    run: (desks: Desks) => Promise<void>,
    javaScriptEnabled = true,
  ): Promise<void> {
    await withPage({ javaScriptEnabled }, async (admin) => {
      await withPage({ javaScriptEnabled }, async (user) => {
        const anns = await enrolledAt(user, site, ann)
        const adas = await enrolledAt(admin, site, ada)
        await run({ site, admin, adas, user, anns })
      })
    })
  }

  const openAnn = async (page: Page) => {
    await page.goto(`${site.url}${ADMIN}`)
    await page.getByRole('link', { name: 'Users', exact: true }).click()
    await page.getByLabel('Name, e-mail address, ID or serial number').fill('ann')
    await sent(page, () => page.getByRole('button', { name: 'Search' }).click())
    await sent(page, () => page.getByRole('link', { name: 'Ann' }).click())
  }
  const does = async (page: Page, what: string, form: string, days?: string) => {
    await page.getByText(what, { exact: true }).first().click()
    if (days !== undefined) await page.locator('#days').fill(days)
    await page.locator(`#reason-${form}`).fill('a <b>good</b> reason')
    await pressed(page, form)
  }
  const badge = async (page: Page) => page.locator('.badge').first().textContent()
  const said = async (page: Page) => page.locator('.done').textContent()
  const letIn = async (user: Page): Promise<string> => {
    await user.context().clearCookies()
    await passLogin(user, site, ann)
    return whoIsIn(user, site)
  }

  it('pauses, and the user needs no code; resumes, and the user needs one again', async () => {
    await atDesks(async ({ admin, user }) => {
      await openAnn(admin)
      expect(await badge(admin)).to.equal('On')
      await does(admin, 'Pause for some days', 'pause', '3')
      expect(await badge(admin)).to.equal('Paused')
      expect(await said(admin)).to.include('without the second step')
      expect(await letIn(user)).to.equal('ann')
      await does(admin, 'End the pause', 'resume')
      expect(await badge(admin)).to.equal('On')
      expect(await whoIsIn(user, site)).to.not.equal('ann')
      await admin.getByText('Pause without an end date').click()
      await sent(admin, () => admin.getByRole('button', { name: 'Pause', exact: true }).click())
      expect(await admin.locator('.facts').textContent()).to.match(
        /Paused until\s*an admin ends it/,
      )
      expect(await letIn(user)).to.equal('ann')
    })
  })

  it('ends sessions, and the user is out at once', async () => {
    await atDesks(async ({ admin, user }) => {
      expect(await whoIsIn(user, site)).to.equal('ann')
      await openAnn(admin)
      await does(admin, 'Sign out everywhere', 'end-sessions')
      expect(await whoIsIn(user, site)).to.equal('nobody')
      expect(await whoIsIn(admin, site)).to.equal('ada')
    })
  })

  it('resets, and the user sets up again', async () => {
    await atDesks(async ({ admin, user }) => {
      await openAnn(admin)
      await does(admin, 'Reset', 'reset')
      expect(await badge(admin)).to.equal('Must set up')
      expect(await whoIsIn(user, site)).to.equal('nobody')
      await passLogin(user, site, ann)
      expect(user.url()).to.equal(site.at('/setup'))
      await give(user, (await scanned(user, site)).code())
      expect(await whoIsIn(user, site)).to.equal('ann')
      await admin.reload()
      expect(await badge(admin)).to.equal('On')
    })
  })

  it('disables, and the password alone is enough', async () => {
    await atDesks(async ({ admin, user }) => {
      await openAnn(admin)
      await does(admin, 'Turn off', 'disable')
      expect(await badge(admin)).to.equal('Off')
      expect(await letIn(user)).to.equal('ann')
    })
  })

  it('unlocks, and the app’s codes work again', async () => {
    await atDesks(async ({ admin, user, anns }) => {
      await user.context().clearCookies()
      await passLogin(user, site, ann)
      for (let miss = 0; miss < 5; miss += 1) await give(user, wrongCodeOf(site, anns))
      await passLogin(user, site, ann)
      await give(user, anns.code())
      expect(await user.locator('.problem').textContent()).to.include('too many wrong codes')
      await openAnn(admin)
      await does(admin, 'Unlock', 'unlock')
      await give(user, anns.code())
      expect(await whoIsIn(user, site)).to.equal('ann')
    })
  })

  it('makes backup codes, one of which signs the user in', async () => {
    await atDesks(async ({ admin, user }) => {
      await openAnn(admin)
      await does(admin, 'Make new backup codes', 'backup-codes')
      const codes = await admin.locator('#codes code').allTextContents()
      expect(codes).to.have.length(10)
      // The second set would kill the one that was just read out.
      await admin.reload()
      expect(await admin.locator('#codes code').allTextContents()).to.deep.equal(codes)
      site.system.advance(MINUTE)
      await admin.reload()
      expect(await admin.locator('.note').textContent()).to.include('can’t be shown again')
      expect(new URL(admin.url()).pathname).to.equal(`${ADMIN}/users/ann`)
      await user.context().clearCookies()
      await passLogin(user, site, ann)
      await user.getByText('Use a backup code instead').click()
      await give(user, codes[3] ?? '', 'backup-code')
      expect(await whoIsIn(user, site)).to.equal('ann')
    })
  })

  it('makes a one-time code, with which the user sets up again', async () => {
    await atDesks(async ({ admin, user }) => {
      await openAnn(admin)
      await does(admin, 'Make a one-time code', 'one-time-code')
      const [code = ''] = await admin.locator('#codes code').allTextContents()
      expect(await admin.locator('.sheet').textContent()).to.include('valid until')
      await user.context().clearCookies()
      await passLogin(user, site, ann)
      await user.getByText('Use a backup code, or the code you were given').click()
      await give(user, code, 'backup-code')
      expect(user.url()).to.equal(site.at('/setup'))
      await give(user, (await scanned(user, site)).code())
      expect(await whoIsIn(user, site)).to.equal('ann')
    })
  })

  it('demands a second step of all, and a user without one is led to the set-up', async () => {
    await withPage({}, async (admin) => {
      await withPage({}, async (user) => {
        await passLogin(user, site, ann)
        await enrolledAt(admin, site, ada)
        await admin.goto(`${site.url}${ADMIN}/policy`)
        await admin.getByLabel('Two-factor authentication').selectOption('required')
        await admin.getByLabel('Days to set up').fill('1')
        await pressed(admin, 'policy')
        expect(await admin.locator('main').textContent()).to.include('2 of 4.')
        await pressed(admin, 'policy')
        expect(await said(admin)).to.include('applies at once')
        expect(await whoIsIn(user, site)).to.equal('ann')
        site.system.advance(DAY)
        await user.goto(site.url)
        expect(user.url()).to.equal(site.at('/setup'))
      })
    })
  })

  it('needs no script, and is led to a fresh code and back', async () => {
    await atDesks(async ({ admin, adas, user }) => {
      site.system.advance(5 * MINUTE)
      await openAnn(admin)
      expect(await admin.locator('.note').textContent()).to.include('in the last 5 minutes')
      await does(admin, 'Pause for some days', 'pause', '3')
      expect(await admin.locator('#problem').textContent()).to.include('the last 5 minutes')
      expect(await admin.locator('#days').inputValue()).to.equal('3')
      expect(await admin.locator('#reason-pause').inputValue()).to.equal('a <b>good</b> reason')
      await sent(admin, () => admin.getByText('Pass the second step').click())
      await give(admin, adas.code())
      expect(new URL(admin.url()).pathname).to.equal(`${ADMIN}/users/ann`)
      site.system.advance(30 * SECOND)
      await does(admin, 'Pause for some days', 'pause', '3')
      expect(await badge(admin)).to.equal('Paused')
      expect(await letIn(user)).to.equal('ann')
      await user.goto(site.at('/'))
      const events = await user.locator('.events').textContent()
      expect(events).to.include('Second step paused').and.to.include('a <b>good</b> reason')
      expect(events).to.not.include('ada')
      await sent(admin, () => admin.getByText('All events of this user').click())
      const seen = await admin.locator('.events').textContent()
      expect(seen).to.include('ada').and.to.include('a <b>good</b> reason')
    }, false)
  })
})
