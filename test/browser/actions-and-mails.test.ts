import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { loadMessages } from '../../lib/text/messages.js'
import { withPage } from '../support/chromium.js'
import { SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { type MailServer, startMailServer } from '../support/mail-server.js'
import { give, passLogin, type Site, scanned, setUpAt, startSite } from '../support/site.js'

/** Opens an action of the settings page and sends its form with this code. */
async function act(page: Page, site: Site, name: string, code: string): Promise<void> {
  await page.goto(site.at('/'))
  await page.locator(`#code-${name}`).evaluate((field) => {
    field.closest('details')?.setAttribute('open', '')
  })
  await give(page, code, `code-${name}`)
  site.system.advance(30 * SECOND)
}

describe('every action in a browser, with its mail', () => {
  let mails: MailServer
  let site: Site
  beforeEach(async () => {
    mails = await startMailServer()
    const member = { ...ann, email: 'ann@example.test' }
    site = await startSite({
      users: [member],
      options: {
        users: { findById: async () => member },
        mail: { transport: mails.transport, from: 'Acme <no-reply@acme.example>' },
      },
    })
  })
  afterEach(async () => {
    await site.secondStep.close()
    await site.stop()
    await mails.stop()
  })

  for (const locale of ['en', 'ru']) {
    it(`tells the user of each, in ${locale}`, async () => {
      const { t } = loadMessages().for([locale])
      await withPage({ locale }, async (page) => {
        const first = await setUpAt(page, site)
        expect(await page.locator('html').getAttribute('lang')).to.equal(locale)
        await act(page, site, 'backup-codes', first.code())
        const [backupCode = ''] = await page.locator('#codes code').allTextContents()
        await act(page, site, 'show-key', first.code())
        expect(await page.locator('#key').count()).to.equal(1)

        await act(page, site, 'change-key', backupCode)
        const second = await scanned(page, site)
        await give(page, second.code())
        site.system.advance(30 * SECOND)
        await act(page, site, 'reset', second.code())

        await passLogin(page, site)
        const third = await scanned(page, site)
        await give(page, third.code())
        site.system.advance(30 * SECOND)
        await act(page, site, 'disable', third.code())
        expect(await page.locator('.state.off').count()).to.equal(1)
      })

      const told = [
        ...['enrolled', 'backup-codes-made', 'key-shown', 'backup-code-used', 'key-changed'],
        ...['reset', 'enrolled', 'disabled'],
      ]
      const received = await mails.received(told.length)
      const titles = told.map((name) => t(`mail.${name}.title`, { left: 9, count: 9 }))
      expect(received.map(({ subject }) => subject)).to.have.members(
        titles.map((title) => `Acme: ${title}`),
      )
      for (const { recipients, text } of received) {
        expect(recipients).to.deep.equal(['ann@example.test'])
        expect(text).to.include(site.at('/'))
      }
    })
  }
})
