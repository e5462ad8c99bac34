import type axe from 'axe-core'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { DESKTOP, PHONE } from './chromium.js'

/** The narrowest phones there are, in pixels (WCAG 2.2, 1.4.10). */
const NARROW = 320

async function violations(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const options = rules === undefined ? {} : { runOnly: rules }
  const found = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as axe.AxeResults
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
  )
}

/** Pixels that the page is wider than the window. */
async function overflow(page: Page, width: number): Promise<number> {
  await page.setViewportSize({ width, height: PHONE.height })
  const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  return Number(await page.evaluate(wider))
}

/** Options that a phone would show without their end. The browser's own arrow takes some room too. */
const CUT_OPTIONS = `[...document.querySelectorAll('select')].flatMap((select) => {
  const style = getComputedStyle(select)
  const context = document.createElement('canvas').getContext('2d')
  context.font = style.font
  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 18
  return [...select.options].map((option) => option.text.trim())
    .filter((text) => context.measureText(text).width > room)
})`

/** Tabs that are not in the row of the first. */
const WRAPPED_TABS = `[...document.querySelectorAll('.tabs > a')]
  .filter((tab, _, [first]) => tab.offsetTop !== first.offsetTop).map((tab) => tab.textContent)`

/** The page is accessible and fits phone and desktop. Needs the checker's script in the page. */
export async function expectGoodLook(page: Page, name: string): Promise<void> {
  for (const width of [NARROW, DESKTOP.width]) {
    expect(await overflow(page, width), `${name} at ${width} pixels`).to.equal(0)
    for (const cut of [CUT_OPTIONS, WRAPPED_TABS]) {
      expect(await page.evaluate(cut), `${name} at ${width} pixels`).to.deep.equal([])
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await violations(page), name).to.deep.equal([])
}

/** The colours are the same in every language. */
export async function expectGoodDarkness(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await violations(page, ['color-contrast']), `${name}, dark`).to.deep.equal([])
}
