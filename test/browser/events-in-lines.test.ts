import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { memoryAuditLog } from '../../lib/stores/memory-audit-log.js'
import { ada } from '../support/admin.js'
import { ADMIN, startAdminSite } from '../support/admin-site.js'
import { withPage } from '../support/chromium.js'
import { HOUR } from '../support/clock.js'
import { enrolledAt, passLogin, type Site } from '../support/site.js'

const PHONE = { width: 390, height: 844 }
const DESKTOP = { width: 1280, height: 900 }
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const nothing = { method: null, ip: null, userAgent: null, reason: null, detail: null }
const byAnn = {
  actor: { kind: 'user', id: 'ann' },
  ip: '203.0.113.207',
  userAgent: FIREFOX,
} as const
const byAda = { actor: { kind: 'admin', id: 'ada' } } as const
const TYPES = [
  'enrolled',
  'code-accepted',
  'wrong-code',
  'backup-codes-made',
  'mail-reset-asked',
] as const

/** How many lines each event takes. */
function linesOf(page: Page): Promise<readonly number[]> {
  return page.evaluate(`[...document.querySelectorAll('.events > li')].map((event) => {
    const range = document.createRange()
    range.selectNodeContents(event)
    const middles = [...range.getClientRects()].map(({ top, bottom }) => (top + bottom) / 2)
    const sorted = middles.sort((one, other) => one - other)
    return sorted.filter((each, index) => index === 0 || each - sorted[index - 1] > 8).length
  })`)
}

// Ten events of three lines are a page to scroll, and nobody sees the one that is odd.
describe('the list of events', () => {
  let site: Site
  before(async () => {
    const audit = memoryAuditLog()
    site = await startAdminSite({ options: { audit } })
    const now = site.system.now()
    const until = new Date(now + 48 * HOUR).toISOString()
    const entries = [
      ...TYPES.map((type) => ({ type, ...byAnn })),
      { type: 'paused', ...byAda, detail: { until } } as const,
    ]
    await audit.append(
      entries.map((entry, index) => ({
        ...{ ...nothing, ...entry },
        user: 'ann',
        at: now - (entries.length - index) * HOUR,
        id: index.toString(16).padStart(30, '0'),
      })),
    )
  })
  after(() => site.stop())

  for (const locale of ['en', 'ru', 'it', 'es']) {
    it(`takes a line an event on a desktop, in ${locale}`, async () => {
      await withPage({ locale, viewport: DESKTOP }, async (page) => {
        await passLogin(page, site)
        await page.goto(site.at('/'))
        expect(await linesOf(page)).to.deep.equal(Array(6).fill(1))
      })
    })
  }

  it('takes two lines an event on a phone', async () => {
    await withPage({ locale: 'en', viewport: PHONE }, async (page) => {
      await passLogin(page, site)
      await page.goto(site.at('/'))
      expect(await linesOf(page)).to.deep.equal(Array(6).fill(2))
    })
  })

  it('takes a line an event for admins, with whom and by whom', async () => {
    await withPage({ locale: 'en', viewport: DESKTOP }, async (page) => {
      await enrolledAt(page, site, ada)
      await page.goto(`${site.url}${ADMIN}/events?user=ann`)
      expect(await linesOf(page)).to.deep.equal(Array(6).fill(1))
      await page.goto(`${site.url}${ADMIN}/users/ann`)

      expect(await linesOf(page)).to.deep.equal(Array(6).fill(1))
    })
  })
})
