import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { DESKTOP, PHONE } from './chromium.js'

/** The narrowest phones there are, in pixels (WCAG 2.2, 1.4.10). */
const NARROW = 320

/** The checker's script in its short form: every page that is checked runs it anew. */
const CHECKER = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'))

/**
 * A server of the checker's script. Sent with each check, it would take longer than the check; from here the browser
 * keeps it, compiled. It keeps no process alive.
 */
const checkerServer = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/javascript; charset=utf-8')
  response.setHeader('Cache-Control', 'max-age=3600, immutable')
  response.end(CHECKER)
}).unref()

async function checkerUrl(): Promise<string> {
  if (!checkerServer.listening) {
    checkerServer.listen(0, '127.0.0.1')
    await once(checkerServer, 'listening')
  }
  const { port } = checkerServer.address() as AddressInfo
  return `http://127.0.0.1:${port}/checker.js`
}

const COLOR_RULE = 'color-contrast'

/**
 * The page without its words: elements, the names of their attributes, and the values that tie them together. Pages in
 * another language are alike, but for a text or a label that is missing.
 */
const STRUCTURE = `(() => {
  const WORDS = ['alt', 'aria-label', 'content', 'd', 'datetime', 'placeholder', 'title', 'value']
  const bare = (text) => text.replace(/[\\w-]*\\d[\\w-]*/g, '0')
  const attribute = ({ name, value }) =>
    WORDS.includes(name) || name.startsWith('data-') || name === 'lang'
      ? name + (value.trim() === '' ? '' : '=x')
      : name + '=' + bare(value)
  const written = (node) =>
    node.nodeType === Node.TEXT_NODE
      ? node.data.trim() === '' ? '' : 'x'
      : node.nodeType !== Node.ELEMENT_NODE
        ? ''
        : '<' + [node.localName, ...[...node.attributes].map(attribute)].join(' ') + '>' +
          [...node.childNodes].map(written).join('') + '</>'
  return written(document.documentElement)
})()`

/** What was wrong with pages of one structure, by what was checked. */
const checked = new Map<string, Promise<readonly string[]>>()

/** What is wrong with a page: of those that differ in their words alone, one is looked at. */
async function violations(page: Page, chosen: object): Promise<readonly string[]> {
  const name = `${JSON.stringify(chosen)} ${await page.evaluate<string>(STRUCTURE)}`
  const known = checked.get(name)
  if (known !== undefined) return known
  const found = violationsOf(page, chosen)
  checked.set(name, found)
  return found
}

/** Sends no more than what is wrong: the whole answer of the checker takes longer than its checks. */
async function violationsOf(page: Page, chosen: object): Promise<readonly string[]> {
  const options = { resultTypes: ['violations'], ...chosen }
  if (!(await page.evaluate('"axe" in window')))
    await page.addScriptTag({ url: await checkerUrl() })
  return page.evaluate<readonly string[]>(`axe.run(${JSON.stringify(options)}).then((found) =>
    found.violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`)
}

/** Pixels that the page is wider than the window. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

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

/** All of it in one message: there are hundreds of pages. */
const FIT = `({ overflow: ${OVERFLOW}, options: ${CUT_OPTIONS}, tabs: ${WRAPPED_TABS} })`

/**
 * The page is accessible and fits phone and desktop. Its context needs `bypassCSP`.
 *
 * @param colors whether its colours are checked as well: they are the same in every language, so a
 * walk through all languages checks them in one
 */
export async function expectGoodLook(page: Page, name: string, colors = true): Promise<void> {
  for (const width of [NARROW, DESKTOP.width]) {
    await page.setViewportSize({ width, height: PHONE.height })
    const fit = await page.evaluate(FIT)
    expect(fit, `${name} at ${width} pixels`).to.deep.equal({ overflow: 0, options: [], tabs: [] })
  }
  const rules = { [COLOR_RULE]: { enabled: colors } }
  expect(await violations(page, { rules }), name).to.deep.equal([])
}

/** The colours are as good in the dark. */
export async function expectGoodDarkness(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await violations(page, { runOnly: [COLOR_RULE] }), `${name}, dark`).to.deep.equal([])
  await page.emulateMedia({ colorScheme: 'light' })
}
