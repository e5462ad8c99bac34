import { after } from 'mocha'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from './launch-chromium.js'

let launched: Promise<Browser> | null = null

/** The one Chromium of a test run, with a profile of its own; a first test that needs it starts it. */
export function theChromium(): Promise<Browser> {
  launched ??= launchChromium()
  return launched
}

after(async () => {
  await (await launched)?.close()
})

export const PHONE = { width: 360, height: 740 }
export const DESKTOP = { width: 1200, height: 900 }

/** A page in a context of its own: no cookies, no history. */
export async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  const browser = await theChromium()
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...options })
  context.setDefaultTimeout(20_000)
  return context.newPage()
}

/** Runs a test with a page that is closed after it, however it ends. */
export async function withPage(
  options: BrowserContextOptions,
  run: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await newPage(options)
  try {
    await run(page)
  } finally {
    await page.context().close()
  }
}
