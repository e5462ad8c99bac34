import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const FILE = new URL('../../views/assets/style.css', import.meta.url)

/**
 * The style sheet for the page of a part that does not answer: it stands behind the guard and the
 * stores, so that page has it in itself. A policy allows it by its hash.
 */
export const inlineStyle: { readonly text: string; readonly source: string } = read()

function read() {
  // Browsers hash what they have parsed: they make one line break of every two.
  const text = readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n')
  return { text, source: `'sha256-${createHash('sha256').update(text).digest('base64')}'` }
}
