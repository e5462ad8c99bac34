import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { letsIn } from '../support/actions.js'
import { withPage } from '../support/chromium.js'
import { give, type Site, sent, setUpAt, startSite, whoIsIn } from '../support/site.js'

async function onward(page: Page): Promise<void> {
  await page.getByRole('checkbox').check()
  await sent(page, () => page.locator('button.main').click())
}

/** All that is in the document now. */
async function everythingOn(page: Page): Promise<string> {
  return page.content()
}

async function goBack(page: Page): Promise<void> {
  // Chromium has nothing to show for a form's answer that no cache kept: that is an error page.
  await page.goBack({ waitUntil: 'commit' }).catch(() => null)
  await page.waitForTimeout(300)
}

describe('the page of backup codes', () => {
  let site: Site
  beforeEach(async () => {
    site = await startSite()
  })
  afterEach(() => site.stop())

  it('does not come back by the back button, after a set-up nor after new ones', async () => {
    // Whoever sits down at the browser next must not find the codes in its history.
    await withPage({}, async (page) => {
      const { backupCodes, code } = await setUpAt(page, site)
      expect(backupCodes).to.have.length(10)
      await onward(page)
      await goBack(page)
      for (const shown of backupCodes) expect(await everythingOn(page)).to.not.include(shown)

      await page.goto(site.at('/'))
      await page.getByText('Make new backup codes').click()
      await give(page, code(), 'code-backup-codes')
      const fresh = await page.locator('#codes code').allTextContents()
      expect(fresh).to.have.length(10)
      await onward(page)
      for (let step = 0; step < 2; step += 1) {
        await goBack(page)
        for (const shown of fresh) expect(await everythingOn(page)).to.not.include(shown)
      }
    })
  })

  it('does not come back by the back button of somebody who just left it', async () => {
    await withPage({}, async (page) => {
      const { backupCodes } = await setUpAt(page, site)
      await page.goto(site.url)
      await goBack(page)
      for (const shown of backupCodes) expect(await everythingOn(page)).to.not.include(shown)
    })
  })

  for (const javaScriptEnabled of [true, false]) {
    const script = javaScriptEnabled ? 'with' : 'without'
    it(`survives a reload ${script} script, after a set-up and after new ones`, async () => {
      await withPage({ javaScriptEnabled }, async (page) => {
        const { backupCodes, code } = await setUpAt(page, site)
        const shown = () => page.locator('#codes code').allTextContents()
        for (let times = 0; times < 2; times += 1) {
          await page.reload()
          expect(await shown()).to.deep.equal(backupCodes)
        }
        await onward(page)
        await page.goto(site.at('/'))
        await page.getByText('Make new backup codes').click()
        await give(page, code(), 'code-backup-codes')
        const fresh = await shown()
        expect(fresh).to.have.length(10).and.to.not.include(backupCodes[0])
        await page.reload()
        expect(await shown()).to.deep.equal(fresh)
        expect(await letsIn(site, fresh[0] ?? '')).to.equal(true)
      })
    })
  }

  it('saves the codes to a file', async () => {
    await withPage({ acceptDownloads: true }, async (page) => {
      const { backupCodes } = await setUpAt(page, site)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByText('Save to a file').click(),
      ])
      expect(download.suggestedFilename()).to.equal('backup-codes-Acme-Ann.txt')
      const text = await readFile(await download.path(), 'utf8')
      expect(text.split('\r\n').slice(4)).to.deep.equal([...backupCodes, ''])
      expect(text).to.include('Acme: Backup codes')
      expect(await page.locator('#codes').isVisible()).to.equal(true)
    })
  })

  it('copies them, one a line, says so, and each works as it was copied', async () => {
    const permissions = ['clipboard-read', 'clipboard-write']
    await withPage({ permissions }, async (page) => {
      const { backupCodes } = await setUpAt(page, site)
      await page.getByRole('button', { name: 'Copy' }).click()
      await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor()
      const copied = String(await page.evaluate('navigator.clipboard.readText()')).split('\n')
      expect(copied).to.deep.equal(backupCodes)
      expect(await letsIn(site, copied[7] ?? '')).to.equal(true)
    })
  })

  it('prints the codes, whose they are and since when, and nothing else, on one sheet', async () => {
    await withPage({ colorScheme: 'dark' }, async (page) => {
      const { backupCodes } = await setUpAt(page, site)
      await page.emulateMedia({ media: 'print' })
      const lines = (await page.locator('body').innerText())
        .split('\n')
        .filter((line) => line.trim())
      expect(lines).to.deep.equal([
        'Acme · Backup codes',
        'Ann',
        'Made on 5 January 2026. Each code works once.',
        ...backupCodes,
      ])
      const colours = 'getComputedStyle(document.querySelector("#codes code")).color'
      expect(await page.evaluate(colours)).to.equal('rgb(0, 0, 0)')
      const pdf = (await page.pdf({ format: 'A4' })).toString('latin1')
      expect(pdf.match(/\/Type\s*\/Page\b/g)).to.have.length(1)
    })
  })

  it('opens the print dialogue of the browser', async () => {
    await withPage({}, async (page) => {
      await page.addInitScript('window.print = () => { document.title = "printed" }')
      await setUpAt(page, site)
      await page.getByRole('button', { name: 'Print' }).click()
      expect(await page.title()).to.equal('printed')
    })
  })

  it('goes on only after the tick', async () => {
    await withPage({}, async (page) => {
      await setUpAt(page, site)
      await page.locator('button.main').click()
      expect(await page.locator('#codes').isVisible()).to.equal(true)
      await onward(page)
      expect(await whoIsIn(page, site)).to.equal('ann')
    })
  })
})
