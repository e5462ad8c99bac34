import { expect } from 'chai'
import type { BrowserContextOptions } from 'playwright-core'
import { withPage } from '../support/chromium.js'
import { HOUR } from '../support/clock.js'
import { passLogin, type Site, setUpAt, startSite } from '../support/site.js'
import { setPolicy } from '../support/visits.js'

const TOKYO = { timezoneId: 'Asia/Tokyo' }

// Whoever is told "until 12:00" and means their own clock comes back nine hours off.
describe('the times of a page', () => {
  let site: Site
  beforeEach(async () => {
    site = await startSite()
    const requiredSince = { general: site.system.now(), roles: {} }
    await setPolicy(site, { mode: 'required', requiredSince })
  })
  afterEach(() => site.stop())

  async function deadlineIn(options: BrowserContextOptions): Promise<string> {
    let note = ''
    await withPage(options, async (page) => {
      await passLogin(page, site)
      await page.goto(site.at('/'))
      note = (await page.locator('.note').textContent()) ?? ''
    })
    return note
  }

  const sentences = [
    ['en-GB', 'You have until 12 January 2026 at 21:00 to set it up.'],
    ['ru', 'Срок настройки истекает 12 января 2026 г. в 21:00.'],
    ['it', 'Termine per configurarla: 12 gennaio 2026 alle ore 21:00.'],
    ['es', 'Tienes hasta el 12 de enero de 2026 a las 21:00 para configurarla.'],
  ] as const
  for (const [locale, sentence] of sentences) {
    it(`are the visitor’s own in a sentence too, in ${locale}`, async () => {
      expect(await deadlineIn({ ...TOKYO, locale })).to.include(sentence)
    })
  }

  it('name their zone where the script does not run', async () => {
    const note = await deadlineIn({ ...TOKYO, locale: 'en-US', javaScriptEnabled: false })
    expect(note).to.include('January 12, 2026 at 12:00 PM (UTC)')
  })

  it('are the day of the visitor where only the day is said', async () => {
    site.system.advance(6 * HOUR)
    await withPage(TOKYO, async (page) => {
      await setUpAt(page, site)
      expect(await page.locator('.sheet .hint').textContent()).to.include('6 January 2026')
      await page.goto(site.at('/'))
      expect(await page.locator('.facts time').textContent()).to.equal('6 January 2026')
    })
  })
})
