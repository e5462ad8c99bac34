import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { PHONE, withPage } from '../support/chromium.js'
import { passLogin, type Site, setUpAt, startSite } from '../support/site.js'

const style = (page: Page, selector: string, property: string, pseudo = '') =>
  page.evaluate(
    `getComputedStyle(document.querySelector('${selector}'), '${pseudo}').getPropertyValue('${property}')`,
  )

describe('the look without a logo', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site.stop())

  it('takes no room for one', async () => {
    await withPage({}, async (page) => {
      await passLogin(page, site)
      await page.goto(site.at('/'))
      expect(await style(page, '.issuer', 'height', '::before')).to.equal('0px')
    })
  })
})

describe('the look of the host’s own', () => {
  let site: Site
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'second-step-views-'))
    await writeFile(join(folder, '_head.ejs'), '<link rel="stylesheet" href="/own.css">')
    const own = `:root { --second-step-accent: #7a1fa2; --second-step-logo: url("/logo.svg");
      --second-step-logo-height: 40px; }`
    const logo = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
    site = await startSite({
      options: { views: folder, messages: { ar: {} } },
      routes: ({ app }) => {
        app.get('/own.css', (_req, res) => res.type('css').send(own))
        app.get('/logo.svg', (_req, res) => res.type('svg').send(logo))
      },
    })
  })
  after(async () => {
    await site.stop()
    await rm(folder, { recursive: true })
  })

  it('needs a few variables: a colour, a logo', async () => {
    await withPage({}, async (page) => {
      const refused: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) refused.push(message.text())
      })
      const logo = page.waitForResponse(`${site.url}/logo.svg`)
      await passLogin(page, site)
      await page.goto(site.at('/'))
      expect((await logo).status()).to.equal(200)
      expect(await style(page, '.button', 'background-color')).to.equal('rgb(122, 31, 162)')
      expect(await style(page, '.issuer', 'height', '::before')).to.equal('40px')
      expect(refused, 'what the policy of the pages refuses').to.deep.equal([])
    })
  })

  it('is mirrored from right to left, but for codes and keys', async () => {
    await withPage({ locale: 'ar', viewport: PHONE }, async (page) => {
      await setUpAt(page, site)
      expect(await style(page, '#codes', 'direction')).to.equal('ltr')
      await page.goto(site.at('/'))
      expect(await style(page, 'body', 'direction')).to.equal('rtl')
      expect(await style(page, '#code-reset', 'direction')).to.equal('ltr')
      const start = await page.locator('dt').first().boundingBox()
      const end = await page.locator('dd').nth(1).boundingBox()
      expect(start?.x ?? 0).to.be.above(end?.x ?? Number.POSITIVE_INFINITY)
    })
  })
})
